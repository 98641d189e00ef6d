"""The voices and ears: one folder per medium, and how people are reached and heard."""
