"""Who may be asked, as people write it: `person:ana`, `group:finance`, `manager_of:requester`."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from engine.rules.wording import BadRule, is_sequence, shown

APPROVERS_MAX: Final = 100
EMAIL_CHARS_MAX: Final = 254

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL: Final = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_SLACK: Final = re.compile(r"[TE][A-Z0-9]{2,20}/[UW][A-Z0-9]{2,20}")

_SHAPES: Final = (
    "person:ana, group:finance, email:ana@example.com, slack:T0123/U0AAA, role:operator "
    "or manager_of:requester"
)


class ApproverKind(StrEnum):
    """What an approver is named by."""

    PERSON = "person"
    GROUP = "group"
    EMAIL = "email"
    SLACK = "slack"
    ROLE = "role"
    MANAGER_OF = "manager_of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """One expression of who may vote; whom it means is looked up when it matters."""

    kind: ApproverKind
    value: str

    def text(self) -> str:
        """The approver as it is written; parsing it gives an equal one."""
        return f"{self.kind}:{self.value}"

    __str__ = text


def is_name(text: str) -> bool:
    """Whether `text` may name a person, group, role or webhook: a-z, 0-9, dot, dash, underscore."""
    return _NAME.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Whether `text` is a lower-case ASCII address at a domain with a dot."""
    return len(text) <= EMAIL_CHARS_MAX and _EMAIL.fullmatch(text) is not None


def is_slack(text: str) -> bool:
    """Whether `text` is a Slack team and user, as in `T0123/U0AAA`."""
    return _SLACK.fullmatch(text) is not None


@lru_cache(maxsize=1_024)  # the same few are read again and again
def parse_approver(text: str) -> Approver:
    """The one approver that `text` names; an email address is compared in lower case.

    Raises:
        BadRule: `bad_approver`, if the kind is unknown or the name breaks its grammar.
    """
    prefix, colon, value = text.strip(" ").partition(":")
    if not colon or prefix not in set(ApproverKind):
        raise BadRule("bad_approver", f"{shown(text)} names no approver. Write {_SHAPES}.")
    kind = ApproverKind(prefix)
    if kind is ApproverKind.EMAIL and value.isascii():
        value = value.lower()
    if not _is_allowed(kind, value):
        raise BadRule("bad_approver", f"{shown(text)} is not {_ALLOWED[kind]}.")
    return Approver(kind=kind, value=value)


def parse_approvers(raw: object) -> tuple[Approver, ...]:
    """The approvers in `raw`, a text with commas or a list of texts; the first of equals stays.

    Raises:
        BadRule: `bad_approver`, if it names nobody, more than 100, or anything badly.
    """
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not is_sequence(parts):
        raise BadRule("bad_approver", f"{shown(raw)} names no approvers. Write {_SHAPES}.")
    if not parts or parts == [""]:
        raise BadRule("bad_approver", f"Nobody is named as approver. Write {_SHAPES}.")
    if len(parts) > APPROVERS_MAX:
        raise BadRule(
            "bad_approver",
            f"{len(parts)} approvers are named; {APPROVERS_MAX} are possible. Name a group.",
        )
    return tuple(dict.fromkeys(_parse_part(part) for part in parts))


def _parse_part(part: object) -> Approver:
    if not isinstance(part, str):
        raise BadRule("bad_approver", f"{shown(part)} names no approver. Write {_SHAPES}.")
    return parse_approver(part)


_ALLOWED: Final = {
    ApproverKind.PERSON: "a person: use a-z, 0-9, dot, dash and underscore, as in person:ana",
    ApproverKind.GROUP: "a group: use a-z, 0-9, dot, dash and underscore, as in group:finance",
    ApproverKind.EMAIL: "an email address: write one, as in email:ana@example.com",
    ApproverKind.SLACK: "a Slack team and user: write both ids, as in slack:T0123/U0AAA",
    ApproverKind.ROLE: "a role: use a-z, 0-9, dot, dash and underscore, as in role:operator",
    ApproverKind.MANAGER_OF: "possible: write manager_of:requester",
}


def _is_allowed(kind: ApproverKind, value: str) -> bool:
    match kind:
        case ApproverKind.EMAIL:
            return is_email(value)
        case ApproverKind.SLACK:
            return is_slack(value)
        case ApproverKind.MANAGER_OF:
            return value == "requester"
        case ApproverKind.PERSON | ApproverKind.GROUP | ApproverKind.ROLE:
            return is_name(value)
