"""Stories of runs and approvals, told through the engine on a real SQLite file."""
