"""The webhook medium: signed messages to programs, and their signed answers."""
