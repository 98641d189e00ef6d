"""The doors, tried over HTTP: refusals first."""
