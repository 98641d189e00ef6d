"""Reads email addresses by a strict grammar, and builds those that a message carries."""

import re
from email.headerregistry import Address
from typing import Final

import idna

from channels.email.wording import header_text

_LOCAL: Final = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]{1,64}")
_DOMAIN_CHARS_MAX: Final = 253
_NAMED: Final = re.compile(r"\s*\"?(?P<name>[^<>\"]*?)\"?\s*<(?P<spec>[^<>]+)>\s*")


def address(spec: str, *, name: str = "") -> Address:
    """The address `spec`, such as `ana@example.com`, with `name` as what people see.

    The domain is spelled in ASCII. The local part may hold letters of any script.

    Raises:
        ValueError: if `spec` is not exactly one plain address.
    """
    local, at, domain = spec.partition("@")
    if not at or not _LOCAL.fullmatch(local) or not local.isprintable() or ".." in local:
        raise ValueError("not a plain email address")
    if local.startswith(".") or local.endswith("."):
        raise ValueError("not a plain email address")
    return Address(header_text(name), username=local, domain=ascii_domain(domain))


def named_address(text: str) -> Address:
    """The address in `Name <a@b.example>` or `a@b.example`.

    Raises:
        ValueError: if `text` is neither.
    """
    found = _NAMED.fullmatch(text)
    if found is None:
        return address(text.strip())
    return address(found["spec"], name=found["name"])


def ascii_domain(domain: str) -> str:
    """`domain` as it is asked for in the DNS: `bücher.example` is `xn--bcher-kva.example`.

    Raises:
        ValueError: if no such name can exist.
    """
    try:
        spelled = idna.encode(domain, uts46=True).decode().lower()
    except idna.IDNAError:
        raise ValueError("not a domain") from None
    if len(spelled) > _DOMAIN_CHARS_MAX or not re.fullmatch(r"[a-z0-9.-]+", spelled):
        raise ValueError("not a domain")
    return spelled
