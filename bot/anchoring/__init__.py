"""Anchors by themselves: made when they are due, and kept where nobody with the database can reach."""
