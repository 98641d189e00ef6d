"""The rules of the engine, remembered: of a small model's many states most ask the same again."""

from functools import cache

from bot.chaos.model.states import Fact, number_of, shape_of
from engine.clock import from_micros
from engine.ids import PersonId, RunId
from engine.rules import changes
from engine.rules.quorum import Quorum, freeze
from engine.rules.states import ApprovalStatus, ImpossibleChange, RunShape
from engine.rules.switches import TENANT, Beneath, above
from engine.rules.tally import CastVote, Choice, Electorate, Outcome, tally
from engine.store import undoing
from engine.store.new_entry import Entry


@cache
def applied(run: int, kind: str, to: str = "") -> int | None:
    """The shape after an entry of `kind`, or None where that cannot be."""
    try:
        return number_of(changes.apply(shape_of(run), kind, {"to": to} if to else {}))
    except ImpossibleChange:
        return None


@cache
def asked_again(before: str, kind: str, after: str) -> str | None:
    """The approval's status after an entry of `kind`, or None where that cannot be."""
    known = ApprovalStatus(before) if before else None
    try:
        return str(changes.change_approval(known, kind, ApprovalStatus(after)))
    except ImpossibleChange:
        return None


@cache
def quorum_of(people: int, quorum: int) -> Quorum:
    """The frozen quorum."""
    return freeze(quorum, eligible_count=people, reject_quorum=None, groups={})


@cache
def counted(votes: tuple[str, ...], quorum: int) -> str:
    """What these votes end it as; empty while it stays open."""
    people = [PersonId(f"reviewer-{at}") for at in range(len(votes))]
    cast = [
        CastVote(person=who, choice=Choice(vote.removeprefix("!")), sequence=1)
        for who, vote in zip(people, votes, strict=True)
        if vote
    ]
    pool = frozenset(people)
    none = frozenset[PersonId]()
    electorate = Electorate(pool=pool, groups={}, later=none, excluded=none)
    outcome = tally(quorum_of(len(votes), quorum), cast, electorate).outcome
    ends = {
        Outcome.OPEN: "",
        Outcome.APPROVED: "approved",
        Outcome.REJECTED: "rejected",
        Outcome.IMPOSSIBLE: "rejected",
        Outcome.CHANGES_REQUESTED: "changes_requested",
    }
    return ends[outcome]


@cache
def has_to_undo(facts: int) -> bool:
    """Whether the engine's own plan still names the step with an undo."""
    happened = [
        ("step.begun", Fact.A_BEGUN),
        ("step.finished", Fact.A_DONE),
        ("compensation.begun", Fact.UNDO_BEGUN),
        ("compensation.finished", Fact.UNDO_DONE),
    ]
    journal = [
        _entry(0, "run.created"),
        *(_entry(at, k) for at, (k, f) in enumerate(happened, 1) if f & facts),
    ]
    return bool(undoing.plan(journal))


def _entry(position: int, kind: str) -> Entry:
    none: dict[str, object] = {"args": [], "kwargs": {}}
    data = {"undo": "undo_a", "arguments": none}
    at = from_micros(0)
    return Entry(
        run=RunId("run"), position=position, kind=kind, name="a", path="0",
        data=data, at=at, previous="", hash="",
    )  # fmt: skip


@cache
def is_halted(*, is_engaged: bool) -> bool:
    """Whether a kill switch stands above the run."""
    engaged = {TENANT} if is_engaged else set[str]()
    return (
        above(engaged, Beneath(runs=("run",), workflows=("small",), started_by="key:agent"))
        is not None
    )


@cache
def shape(number: int) -> RunShape:
    """The shape itself."""
    return shape_of(number)
