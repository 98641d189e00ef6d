"""Databases that misbehave: each is told in a sentence, loses nothing, and all goes on when the cause is gone."""
