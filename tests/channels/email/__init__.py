"""The email medium."""
