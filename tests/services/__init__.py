"""The deeds of the services, each over a real SQLite file."""
