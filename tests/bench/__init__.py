"""The measurements run, and say what can be true; how fast anything is, no test says."""
