"""Every medium, tried over its own protocol."""
