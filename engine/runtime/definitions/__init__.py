"""Workflows written as YAML or JSON: read, checked before anything runs, and driven by one generic workflow."""
