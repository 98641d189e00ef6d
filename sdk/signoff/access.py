"""Where the server is and with which key it is asked: what cannot be is refused before anything is sent."""

import os
import re
from typing import Final

import httpx

from signoff.errors import SignoffError

DEFAULT_URL: Final = "http://127.0.0.1:8080"


def checked_url(given: str | None) -> str:
    """`given`, else SIGNOFF_URL, else this machine, if it is an address.

    Raises:
        SignoffError: `bad_url`, otherwise.
    """
    url = given or os.environ.get("SIGNOFF_URL") or DEFAULT_URL
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise SignoffError("bad_url", 0, f"{url!r} is no address such as {DEFAULT_URL}.")
    return url


def checked_key(key: str | None) -> str:
    """`key`, or the one of SIGNOFF_API_KEY.

    Raises:
        SignoffError: `no_key`, if there is none that could be sent.
    """
    key = (key or os.environ.get("SIGNOFF_API_KEY") or "").strip()
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise SignoffError(
            "no_key",
            0,
            "There is no usable API key. Put the one that `signoff keys create --name agent "
            "--scope approvals:ask --scope read` printed into SIGNOFF_API_KEY.",
        )
    return key
