"""The rules of the engine in a world of dictionaries, and a seed that decides who acts and what is lost."""
