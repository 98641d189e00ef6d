"""The stand-ins keep the limits of the media they stand for: everything else trusts them."""
