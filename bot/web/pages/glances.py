"""Requests that nobody reads: a browser's guesses, a scanner's questions; they get no page."""

from typing import Final

from fastapi import Request, Response

ALLOWED: Final = "GET, HEAD, OPTIONS, POST"

_SAYS: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_GUESSES: Final = ("prefetch", "prerender", "preview")


def is_glance(request: Request) -> bool:
    """Whether a browser only guesses that somebody will open this."""
    said = " ".join(request.headers.get(name, "") for name in _SAYS).lower()
    return any(guess in said for guess in _GUESSES)


def nothing() -> Response:
    """The answer without a page: no question to the store, the same for every address."""
    return Response(status_code=204, headers={"Allow": ALLOWED})
