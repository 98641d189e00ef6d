"""Measurements of this very installation; peers and results are in `benchmarks/`."""
