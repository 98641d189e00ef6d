"""What `--auto` plays, one act a file, all of it through the doors that everybody has."""
