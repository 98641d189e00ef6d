"""How this repository is written, as rules that fail."""
