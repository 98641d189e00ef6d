"""The chain of migrations makes exactly the schema that the code knows."""
