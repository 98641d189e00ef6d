"""The `signoff` command line: one client of the server's doors, and the verbs that begin a server."""
