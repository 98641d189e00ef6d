"""The web pages, seen as text and as elements."""
