"""The rules of the engine in a world of dictionaries, where a seed decides who acts, what is lost and what the time is."""
