"""How the small model says that something which must hold does not."""


class Broken(Exception):
    """Something that must hold does not."""
