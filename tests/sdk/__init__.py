"""What authors import, tested as they use it: over real HTTP and in processes of their own."""
