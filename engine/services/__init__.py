"""What can be done: one file per subject, one function and one transaction per deed."""
