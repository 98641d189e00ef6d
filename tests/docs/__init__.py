"""What the README and the pages say is tried: their blocks run, their links lead somewhere."""
