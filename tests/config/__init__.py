"""What `signoff.toml` may say, and what is said when it is wrong."""
