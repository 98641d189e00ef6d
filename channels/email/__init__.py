"""The email medium: one personal message for each approver, and what follows it in the same thread."""
