"""What must survive: kills, storms, damaged rows and code that misbehaves."""
