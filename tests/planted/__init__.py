"""Forty and more defects of one line each, and the tests that find them."""
