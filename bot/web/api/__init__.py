"""The doors for programs: one module for each subject."""
