"""PostgreSQL as it is: a server of one's own, crashes, crowds and every promise of the store."""
