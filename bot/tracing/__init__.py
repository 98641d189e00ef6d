"""Traces of runs: made from their journals, and sent to whoever keeps them."""
