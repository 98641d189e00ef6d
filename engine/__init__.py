"""The brain: rules, runs and memory; knows nobody outside itself."""
