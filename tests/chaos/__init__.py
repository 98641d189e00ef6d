"""Many processes on one PostgreSQL, and everything that can end them."""
