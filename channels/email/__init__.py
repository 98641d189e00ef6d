"""The email medium: a personal message for each approver, and what follows it in its thread."""
