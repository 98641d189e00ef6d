"""Who is told how a run fares: addresses as people write them, and what of a journal is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.rules.approvers import is_email, is_name
from engine.rules.wording import BadRule, is_sequence, shown

FOLLOWERS_MAX: Final = 10

_SLACK: Final = re.compile(r"slack:(?://)?(?P<hash>#?)(?P<place>[\w-]{1,80}(?:/[A-Z0-9]{2,21})?)")
_SLACK_ID: Final = re.compile(r"(?:[TE][0-9A-Z]{2,20}/)?[CGDUW][0-9A-Z]{2,20}", re.ASCII)
_WEB: Final = re.compile(r"https?://[A-Za-z0-9\[][!-~]{0,2000}")
_HOST: Final = re.compile(r"https?://[^/?#]+")

# What is told, under which name, and in words behind the workflow's name.
NOTABLE: Final[Mapping[str, tuple[str, str]]] = {
    "approval.opened": ("run.waiting", "waits for an approval"),
    "budget.asked": ("run.waiting", "waits for a larger budget"),
    "run.halted": ("run.waiting", "is held up by a kill switch"),
    "run.paused": ("run.waiting", "is paused"),
    "effect.unknown": ("run.stuck", "is stuck: nobody knows whether one of its steps happened"),
    "compensation.stuck": ("compensation.stuck", "is stuck: something cannot be undone"),
    "run.changed": ("run.stuck", "is stuck: its code has changed"),
    "run.quarantined": ("run.stuck", "is set aside: it ended its workers"),
    "run.completed": ("run.completed", "is completed"),
    "run.failed": ("run.failed", "failed"),
    "run.rolled_back": ("run.rolled_back", "was rolled back"),
    "run.cancelled": ("run.cancelled", "was cancelled"),
    "run.killed": ("run.killed", "was killed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """One address that is told, as its channel knows it."""

    channel: str
    address: str

    @property
    def is_url(self) -> bool:
        """Whether it is an address on the web, and no name of ours."""
        return self.channel == "webhook" and self.address.startswith(("https://", "http://"))

    def shown(self) -> str:
        """The address as others may see it: of one on the web its host alone, since the rest may be a secret."""
        found = _HOST.match(self.address)
        return f"{found[0]}/…" if found else f"{self.channel} {self.address}"

    def to_json(self) -> dict[str, object]:
        """As it is kept."""
        return {"channel": self.channel, "address": self.address}


def parse_followers(raw: object) -> tuple[Follower, ...]:
    """The addresses in `raw`, one or a list: `https://…`, `mailto:ana@example.com`, `slack:#ops`, `webhook:erp`.

    Raises:
        BadRule: `bad_notify`, with a sentence.
    """
    listed = [raw] if isinstance(raw, str) else raw
    if not is_sequence(listed) or len(listed) > FOLLOWERS_MAX:
        raise _bad(f"{shown(raw)} is no list of at most {FOLLOWERS_MAX} addresses")
    return tuple(dict.fromkeys(_follower(each) for each in listed))


def _follower(raw: object) -> Follower:
    text = raw.strip() if isinstance(raw, str) else ""
    scheme, _, rest = text.partition(":")
    if _WEB.fullmatch(text):
        return Follower(channel="webhook", address=text)
    if scheme == "mailto" and is_email(rest.lower()):
        return Follower(channel="email", address=rest.lower())
    if scheme == "webhook" and is_name(rest):
        return Follower(channel="webhook", address=rest)
    found = _SLACK.fullmatch(text)
    if found and not found["hash"] and _SLACK_ID.fullmatch(found["place"]):
        return Follower(channel="slack", address=found["place"])
    if found and "/" not in found["place"]:
        return Follower(channel="slack", address=f"#{found['place']}")
    raise _bad(f"{shown(raw)} is no address that can be told")


def _bad(why: str) -> BadRule:
    return BadRule(
        "bad_notify",
        f"{why}. Write https://ops.example.com/hook, mailto:ana@example.com, slack:#ops, or webhook:erp "
        "for one of signoff.toml.",
    )
