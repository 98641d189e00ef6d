"""What a page hands out and gets back: signed, short-lived, and stored nowhere until it is used."""

import re
from datetime import timedelta
from typing import Final

from bot.application import Application
from engine.clock import from_micros, micros

_STAMP: Final = re.compile(r"([0-9]{1,16})\.([A-Za-z0-9_-]{1,64})\.([0-9a-f]{64})")
_CLOCKS_DIFFER_BY: Final = timedelta(minutes=1)  # several servers may share one database


def stamp(application: Application, purpose: str, text: str) -> str:
    """A fresh proof that this server handed out `text` for `purpose` now; no two are the same."""
    body = f"{micros(application.clock.now())}.{application.ids.secret()}"
    mac = application.tokens.hashed(f"page:{purpose}", f"{body}\n{text}")
    return f"{body}.{mac}"


def is_stamped(
    application: Application, purpose: str, text: str, *, stamped: str, within: timedelta
) -> bool:
    """Whether `stamped` was made for this purpose and text, less than `within` ago."""
    found = _STAMP.fullmatch(stamped)
    if found is None:
        return False
    at, secret, mac = found.groups()
    said = f"{at}.{secret}\n{text}"
    if not application.tokens.fits(f"page:{purpose}", said, mac):
        return False
    age = application.clock.now() - from_micros(int(at))
    return -_CLOCKS_DIFFER_BY <= age < within
