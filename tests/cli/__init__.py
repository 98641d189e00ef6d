"""The command line, against a server that really runs."""
