"""Anchors that were kept outside, held against those in the database: nobody takes back what was signed."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, TypeGuard

from engine.clock import from_iso
from engine.digest import canonical
from engine.errors import Invalid
from engine.ids import TenantId
from engine.rules.chaining import Damage, Finding
from engine.signing import is_signed
from engine.store.anchors import Anchor

LINE_CHARS_MAX: Final = 10_000


class Witness:
    """Reads lines that were kept outside, one by one, and says where the database contradicts them."""

    def __init__(self, tenant: TenantId, *, trusted: Collection[str]) -> None:
        self._tenant, self._trusted = tenant, trusted

    def read(self, line: str) -> Anchor | None:
        """The anchor that a line holds; None for another tenant's, and for an empty line.

        Raises:
            Invalid: `bad_anchor`, if it holds no anchor. A line that a crash cut short is one of these.
        """
        if not line.strip():
            return None
        try:
            kept = json.loads(line) if len(line) <= LINE_CHARS_MAX else None
            if not _is_table(kept) or not _is_table(stated := kept.get("statement")):
                raise _no_anchor(line)
            if stated.get("tenant") != self._tenant:
                return None
            return Anchor(
                number=int(stated["number"]),
                words=canonical(stated).decode(),
                signature=str(kept.get("signature")),
                at=from_iso(str(stated["at"])),
            )
        except (KeyError, TypeError, ValueError):
            raise _no_anchor(line) from None

    def judge(self, kept: Anchor, stored: Anchor | None) -> Iterator[Finding]:
        """What is wrong, if `stored` is what the database has under the number of `kept`."""
        key = str(kept.statement.get("key"))
        if key not in self._trusted or not is_signed(kept.words.encode(), kept.signature, by=key):
            yield _found(
                Damage.FORGED, kept, "that was kept outside is not signed by a trusted key"
            )
        elif stored is None:
            yield _found(
                Damage.REWOUND, kept, f"of {kept.statement['at']} is not in the database any more"
            )
        elif stored.words != kept.words:
            yield _found(Damage.REWOUND, kept, "in the database is another than was kept outside")


def _found(damage: Damage, kept: Anchor, says: str) -> Finding:
    chain = f"anchor {kept.number}"
    return Finding(damage=damage, chain=chain, says=f"Anchor {kept.number} {says}.")


def _no_anchor(line: str) -> Invalid:
    return Invalid(f"This is no anchor: {line[:60]!r}.", code="bad_anchor")


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)
