"""`signoff.toml`: read, checked whole, and every mistake told with its line."""
