"""Secrets that go out in headers: written as `${secret.NAME}`, each for its own hosts, and filled in as it is sent."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from engine.outgoing import EgressRefused

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
REFERENCE: Final = re.compile(r"\$\{secret\.([^{}]*)\}")
_HIDDEN: Final = "[secret]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One secret, and the hosts that may be sent it."""

    value: str = field(repr=False)
    hosts: tuple[str, ...]


class Secrets:
    """What may be referred to by name. Without any, every reference is refused."""

    def __init__(self, known: Mapping[str, Secret] | None = None) -> None:
        self._known = dict(known or {})

    def filled(self, headers: Mapping[str, str], *, host: str) -> dict[str, str]:
        """`headers` as they are sent to `host`.

        Raises:
            EgressRefused: `secret`, for one that is not there, or not for this host.
        """
        return {
            name: REFERENCE.sub(lambda found: self._value(found[1], host), value)
            for name, value in headers.items()
        }

    def hidden(self, text: str) -> str:
        """`text` without any of the secrets: a target may send back what it was sent, as JSON or in a link."""
        spelled = {way for each in self._known.values() for way in _spellings(each.value)}
        for way in sorted(spelled, key=len, reverse=True):
            text = text.replace(way, _HIDDEN)
        return text

    def _value(self, name: str, host: str) -> str:
        secret = self._known.get(name)
        if secret is None:
            raise EgressRefused(
                f"There is no secret {name!r}. SIGNOFF_HTTP_SECRETS has: {_listed(self._known)}.",
                rule="secret",
            )
        if host.lower() not in secret.hosts:
            raise EgressRefused(
                f"The secret {name} is not for {host}, but for {_listed(secret.hosts)}.",
                rule="secret",
            )
        return secret.value


def _spellings(value: str) -> tuple[str, ...]:
    """How a secret is written in texts, in JSON of either habit, and in addresses."""
    written = json.dumps(value, ensure_ascii=False)[1:-1]
    return (value, written, written.replace("/", "\\/"), quote(value), quote(value, safe=""))


def _listed(names: Mapping[str, object] | Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "none"
