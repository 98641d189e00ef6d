"""What a request to somebody else's address may say: its method and its headers, and how it is refused."""

import re
from collections.abc import Mapping
from typing import Final

from engine.errors import Refused

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
# What the client itself sets, or what would change who is spoken to or where the message ends.
_OWN_HEADERS: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"}
    | {"expect", "keep-alive", "accept-encoding"}
)
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]{0,8192}")


class EgressRefused(Refused):
    """This address may not be called; `rule` names why. Trying again cannot help."""

    code = "egress_refused"

    def __init__(self, message: str, *, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


def checked_headers(method: str, headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` with our own name added.

    Raises:
        EgressRefused: `method` or `header`, for what is never sent.
    """
    if method not in _METHODS:
        raise EgressRefused(f"{method!r} is not a method that is sent.", rule="method")
    for name, value in headers.items():
        own = name.lower() in _OWN_HEADERS or name.lower().startswith("proxy-")
        if own or not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise EgressRefused(f"The header {name!r} may not be set like this.", rule="header")
    return {"User-Agent": "signoff", **headers}
