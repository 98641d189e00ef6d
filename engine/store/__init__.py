"""What is remembered: tables, and the only place that speaks SQL."""
