"""Stories in which every deed of the services is committed once, for whoever makes a commit fail."""
