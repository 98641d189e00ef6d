"""Traces as they leave: held against what OTLP over HTTP demands."""
