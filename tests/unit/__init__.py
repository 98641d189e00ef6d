"""Rules, and the small parts that need no server."""
