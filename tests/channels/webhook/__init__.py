"""The webhook medium."""
