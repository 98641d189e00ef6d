"""Where a card goes: a channel, or one person's direct messages."""

import re
from dataclasses import dataclass
from typing import Final

from channels.base import RecipientUnknown

_NAME: Final = re.compile(r"#[^\s#<>&/]{1,80}")
_PLACE: Final = re.compile(r"(?:([TE][0-9A-Z]{1,20})/)?([CGDUW][0-9A-Z]{1,20})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`#name`, `C…`, `T…/C…`, or `T…/U…` for a person. `team` is empty where none was written."""

    team: str
    place: str

    @property
    def is_person(self) -> bool:
        return self.place[0] in "UW"

    @property
    def is_name(self) -> bool:
        return self.place.startswith("#")


def parse(to: str) -> Address:
    """The address that `to` spells.

    Raises:
        RecipientUnknown: if it spells none.
    """
    if _NAME.fullmatch(to):
        return Address(team="", place=to)
    if match := _PLACE.fullmatch(to):
        return Address(team=match[1] or "", place=match[2])
    raise RecipientUnknown(f"{to!r} is no Slack address; write #channel, C… or T…/U….")
