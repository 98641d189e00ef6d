"""Many processes on one PostgreSQL, faults of every kind, and a checker that reads what is left."""
