"""What a journal says about its run, its approvals, votes, checkpoints and budgets, entry by entry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from engine.rules.accounts import TOLD_IN, Accounts
from engine.rules.changes import apply, certain
from engine.rules.edges import QUIET, RUN_EDGES
from engine.rules.states import ImpossibleChange, RunShape
from engine.rules.wording import BadRule

_MOVES: Final = frozenset(edge.entry_kind for edge in RUN_EDGES)
# What is known of approvals here. Of an approval that anything else happened to, no more is said.
_OF_APPROVALS: Final = frozenset(
    {"approval.opened", "approval.edited", "approval.extended", "approval.decided"}
    | {"approval.consumed", "vote.recorded", "rung.fired"}
)
_ASKS: Final = frozenset({"approval.opened", "approval.edited"})
_OUTCOMES: Final[Mapping[str, str]] = {"continued": "expired", "rollback": "expired"}
_READ: Final = _OF_APPROVALS | {
    "run.adopted", "run.completed", "run.failed", "checkpoint.created",
}  # fmt: skip
_UNMOVED: Final = frozenset(QUIET) - _READ
UNREAD: Final = _UNMOVED - TOLD_IN  # kinds of entries that change nothing here
# Of other moves it is enough to know that they happened, where that leaves no choice.
_PLAIN: Final = frozenset(
    kind for kind in _MOVES - _READ - TOLD_IN if not kind.startswith("approval.")
)


@dataclass(slots=True)
class FoldedVote:
    """A vote that counted when it was cast, under its number."""

    version: int
    person: str
    choice: str
    comment: str | None


class FoldedApproval:
    """An approval as the journal has it; `is_plain` while only what is known here happened to it."""

    __slots__ = (
        "decision",
        "digest",
        "fired",
        "is_consumed",
        "is_plain",
        "status",
        "version",
        "votes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.status = "open"
        self.version = 1
        self.digest = ""
        self.decision: Mapping[str, Any] | None = None
        self.is_consumed, self.is_plain = False, True
        self.votes: dict[int, FoldedVote] = {}
        self.fired: set[int] = set()  # rungs of its present ladder


class Folded:
    """A run as its journal has it. Kinds that nobody told this module of change nothing here."""

    __slots__ = (
        "accounts",
        "adopted",
        "approvals",
        "checkpoints",
        "created_text",
        "ended",
        "shape",
        "wrong",
    )  # fmt: skip

    def __init__(self) -> None:
        # Written out, for it is made for each run that there is: dataclasses take four times as long.
        self.shape: RunShape | None = None
        self.created_text = ""
        self.adopted: str | None = None  # the version that it runs since
        self.ended: tuple[str, Any] | None = None  # the column that the end sets, and the value
        self.approvals: dict[str, FoldedApproval] = {}
        self.checkpoints: dict[int, tuple[str | None, Any]] = {}
        self.accounts = Accounts()
        self.wrong: list[tuple[int, str]] = []

    @property
    def created(self) -> Mapping[str, Any]:
        """What its first entry says of it; nothing, if that cannot be read."""
        return _read(self.created_text) or {}

    def take(self, position: int, kind: str, text: str, *, path: str | None) -> None:
        """Go on by one entry of `kind` at the call path `path`, whose data are `text`."""
        if kind in _PLAIN:
            if kind == "run.created":
                self.created_text = str(text)  # a hand may have stored bytes
            if (known := certain(self.shape, kind)) is not None:
                self.shape = known
                return
        is_of_budgets = kind in TOLD_IN and self.accounts.is_concerned(kind, text)
        if kind in _UNMOVED and not is_of_budgets:
            return
        data = _read(_without_content(text) if kind in _ASKS else text)
        if data is None:
            self.wrong.append((position, "its data cannot be read"))
            return
        if kind in _MOVES:
            self._move(position, kind, data)
        if is_of_budgets:
            self._account(position, kind, path, data)
        if kind in _READ or kind.startswith("approval."):
            self._note(position, kind, data)

    def _move(self, position: int, kind: str, data: Mapping[str, Any]) -> None:
        try:
            self.shape = apply(self.shape, kind, data)
        except ImpossibleChange as impossible:
            self.wrong.append((position, str(impossible).rstrip(".")))

    def _account(self, position: int, kind: str, path: str | None, data: Mapping[str, Any]) -> None:
        try:
            self.accounts.take(kind, path, data)
        except (KeyError, TypeError, ValueError, BadRule):
            self.wrong.append((position, "what it says of budgets cannot be"))

    def _note(self, position: int, kind: str, data: Mapping[str, Any]) -> None:
        match kind:
            case "run.adopted":
                self.adopted = data.get("to")
            case "run.completed":
                self.ended = ("result", data.get("result"))
            case "run.failed":
                self.ended = ("error", data.get("error"))
            case "checkpoint.created":
                self.checkpoints[position] = (None, data.get("artifact"))
            case _:
                self._note_approval(kind, data)

    def _note_approval(self, kind: str, data: Mapping[str, Any]) -> None:
        name = data.get("approval")
        if not isinstance(name, str):
            return
        approval = self.approvals.get(name)
        if approval is None:
            approval = self.approvals[name] = FoldedApproval()
        match kind:
            case "approval.opened" | "approval.edited":
                approval.status, approval.decision = "open", None
                approval.version = data.get("version", approval.version)
                approval.digest = data.get("digest", approval.digest)
                approval.is_consumed = False
                if kind == "approval.opened":
                    approval.fired.clear()
            case "approval.decided":
                approval.decision = {
                    key: value for key, value in data.items() if key not in _OF_THE_ENTRY
                }
                outcome = str(data.get("outcome"))
                approval.status = _OUTCOMES.get(outcome, outcome)
            case "approval.consumed":
                approval.is_consumed = True
            case "rung.fired":
                approval.fired.add(data.get("rung", -1))
            case "vote.recorded":
                approval.votes[data.get("sequence", 0)] = _vote(data)
            case known if known in _OF_APPROVALS:
                return
            case _:
                approval.is_plain = False


_OF_THE_ENTRY: Final = frozenset({"approval", "version", "digest"})


def _vote(data: Mapping[str, Any]) -> FoldedVote:
    return FoldedVote(
        version=data.get("version", 0),
        person=str(data.get("person")),
        choice=str(data.get("choice")),
        comment=data.get("comment"),
    )


def _read(text: str) -> Mapping[str, Any] | None:
    try:
        data, end = _DECODER.raw_decode(text)
    except ValueError:
        return None
    return data if end == len(text) and _is_table(data) else None


_DECODER: Final = json.JSONDecoder()  # canonical JSON has no spaces around it to look for


def _without_content(text: str) -> str:
    """What an approval's opening or edit says but for what was asked, which is most of it.

    Nothing here depends on that. In canonical JSON no text has a quotation mark of its own, and behind
    the last digest come no more tables. Whatever is not of that shape stays whole.
    """
    begin, end = text.find(_CONTENT), text.rfind(_DIGEST)
    is_shaped = text.startswith(_ASKED) and 0 < begin < end
    return text[: begin + 1] + text[end + 1 :] if is_shaped else text


_ASKED: Final = '{"approval":"'
_CONTENT: Final = '","content":{'
_DIGEST: Final = '},"digest":"sha256:'


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)
