"""Signals: what sources report of a case, and what that makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.digest import canonical
from engine.errors import Conflict, Invalid
from engine.ids import PersonId, RunId
from engine.rules.cases import (
    WAITING,
    CaseStatus,
    Decider,
    Otherwise,
    after_signal,
    parse_confidence,
    parse_outcome,
    parse_source,
    say_share,
)
from engine.rules.consensus import Consensus, Standing
from engine.store import case_pictures, cases, keys, reconciliations, runs, signals
from engine.store.cases import CaseRow, Moved
from engine.store.database import Transaction
from engine.store.keys import Caller
from engine.store.requests import Request
from engine.store.runs import NewRun
from engine.store.signals import SignalRow

RECONCILE: Final = "reconcile"  # the built-in workflow that asks which outcome holds
RECONCILE_VERSION: Final = "1"
SIGNALS_MAX: Final = 1_000  # of one case
META_BYTES_MAX: Final = 16 * 1024
ID_CHARS_MAX: Final = 200
SHOWN_MAX: Final = 20  # signals in the question; the case has all of them
LADDER: Final = ("remind after 1h", "hold after 1d")  # nobody who is silent decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A signal as sent; nothing in it is trusted yet. Its `id` makes a repeat harmless."""

    source: str
    outcome: str
    confidence: object = "1"
    id: str | None = None
    meta: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What became of a signal. `reason` is counted, repeated or late; `asks` that people must decide."""

    case: CaseRow
    signal: SignalRow
    reason: str
    asks: bool = False

    def to_json(self, tx: Transaction) -> dict[str, object]:
        """As the API answers."""
        return {
            "counted": self.signal.is_current and not self.signal.is_late,
            "reason": self.reason,
            "signal": self.signal.to_json(),
            "case": case_pictures.picture(tx, self.case),
        }


def report(tx: Transaction, caller: Caller, case: str, said: Said) -> Reported:
    """Take a signal up: it replaces what its source said before, and may decide the case.

    Of any number that arrive at once one makes the outcome final. After that, and once the case was given
    up, signals are kept as late and change nothing; so does a repeat under the same id, whatever came in between.

    Raises:
        NotFound: if there is no such case.
        BadRule: `missing_signal_source`, `bad_source`, `missing_outcome`, `bad_outcome`,
            `unknown_outcome`, `bad_confidence`. Invalid: `bad_signal`, for its id and meta.
        Conflict: `signal_conflict`, if the id came with something else; `source_taken` and
            `one_source_each`, unless the case is `collected`; `too_many_signals`.
    """
    row = cases.get(tx, caller.tenant, case, lock=True)
    known = signals.of_case(tx, caller.tenant, case)
    signal = _read(tx, caller, row, said, known)
    before = next((each for each in known if each.id == signal.id), None)
    if before is not None:
        _demand_equal(before, signal)
        return Reported(case=row, signal=before, reason="repeated")
    if len(known) >= SIGNALS_MAX:
        raise Conflict(f"A case keeps {SIGNALS_MAX} signals.", code="too_many_signals")
    row = reconciliations.take_up(tx, row)
    if row.status not in WAITING:
        late = replace(signal, is_late=True, is_current=False)
        signals.insert(tx, row.tenant, late)
        moved = Moved(kind="case.signalled_late", to=row.status, says=_says(late), values={})
        return Reported(case=cases.move(tx, row, moved), signal=late, reason="late")
    _demand_own(row, signal, known)
    signals.insert(tx, row.tenant, signal)
    others = [each for each in known if each.source != signal.source]
    found = signals.weighed(row, [*others, signal])
    moved = Moved(
        kind="case.signalled",
        to=after_signal(found.standing),
        says={**_says(signal), "agreement": say_share(found.agreement)},
        values={},
    )
    after = _decided(tx, cases.move(tx, row, moved), found)
    disputed = after.status is CaseStatus.IN_RECONCILIATION and found.is_heard_out
    asks = disputed and after.asked_in is None and not after.is_unanswered
    return Reported(case=after, signal=signal, reason="counted", asks=asks)


def question(tx: Transaction, row: CaseRow) -> tuple[RunId, Request]:
    """Begin the run that asks people about `row`, and what it is to ask; the caller opens its approval.

    Whoever opened the case or reported of it, and whoever answers for their keys, does not count.
    """
    known = [each for each in signals.of_case(tx, row.tenant, row.id) if each.is_current]
    found = signals.weighed(row, known)
    title = f"Which outcome holds: {row.terms.title}"[:200]
    run = RunId(tx.ids.new("run"))
    asks = {"case": row.id, "title": title, "approvers": row.approvers}
    new = NewRun(
        id=run,
        tenant=row.tenant,
        workflow=RECONCILE,
        version=RECONCILE_VERSION,
        input=asks,
        started_by=row.opened_by,
        owner=row.owner,
    )
    runs.begin(tx, new, is_ready=False)
    said = {
        each.source: f"{each.outcome} ({say_share(each.confidence)})" for each in known[:SHOWN_MAX]
    }
    details: dict[str, object] = {
        "case": row.id,
        reconciliations.ANSWER: found.tally[0].outcome,
        "agreement": f"{say_share(found.agreement)} of {say_share(row.terms.enough)}",
        "sources": found.heard,
        "signals": said,
    }
    if row.terms.outcomes:
        details["possible"] = list(row.terms.outcomes)
    request = Request(
        title=title,
        action=RECONCILE,
        approvers=row.approvers,
        details=details,
        kind="modify",
        fields=[reconciliations.ANSWER],
        ladder=LADDER,
        requester=row.opened_by,
        excluded=_involved(tx, row, known),
        on_reject="fail",
    )
    return run, request


def _decided(tx: Transaction, row: CaseRow, found: Consensus) -> CaseRow:
    decider = Decider.CONSENSUS
    outcome = found.outcome
    if found.standing is Standing.DISPUTED and row.terms.otherwise is Otherwise.MAJORITY:
        decider, outcome = Decider.MAJORITY, found.majority
    if outcome is None:
        return row
    reason = f"agreement {say_share(found.agreement)}"
    return reconciliations.finalize(
        tx, row, outcome, decider, who=found.tally[0].sources, reason=reason
    )


def _involved(tx: Transaction, row: CaseRow, known: Sequence[SignalRow]) -> frozenset[PersonId]:
    kind, _, opener = row.opened_by.partition(":")
    asked = (opener if kind == "person" else None, row.owner)
    makers = keys.makers(tx, row.tenant, [row.opened_by, *(each.by for each in known)])
    return signals.reporters(known) | makers | {PersonId(person) for person in asked if person}


def _read(
    tx: Transaction, caller: Caller, row: CaseRow, said: Said, known: Sequence[SignalRow]
) -> SignalRow:
    meta = dict(said.meta or {})
    id = tx.ids.new("sig") if said.id is None else said.id.strip()
    if not 1 <= len(id) <= ID_CHARS_MAX or not id.isprintable():
        raise Invalid(f"A signal's id has 1 to {ID_CHARS_MAX} characters.", code="bad_signal")
    if len(canonical(meta)) > META_BYTES_MAX:
        raise Invalid(f"A signal's meta has up to {META_BYTES_MAX} bytes.", code="bad_signal")
    return SignalRow(
        id=id,
        case=row.id,
        sequence=len(known),
        source=parse_source(said.source),
        outcome=parse_outcome(said.outcome, row.terms.outcomes),
        confidence=parse_confidence(said.confidence),
        meta=meta,
        by=caller.subject,
        owner=caller.owner,
        is_current=True,
        is_late=False,
        received_at=tx.now,
    )


def _demand_equal(before: SignalRow, signal: SignalRow) -> None:
    same = replace(
        before, sequence=0, is_current=True, is_late=False, received_at=signal.received_at
    )
    if same != replace(signal, sequence=0):
        raise Conflict(
            f"The signal {signal.id!a} came with something else before. A new signal needs a new id.",
            code="signal_conflict",
        )


def _demand_own(row: CaseRow, signal: SignalRow, known: Sequence[SignalRow]) -> None:
    if row.terms.collected:
        return
    for each in known:
        if each.source == signal.source and each.by != signal.by:
            raise Conflict(
                f"Somebody else reports as {signal.source!a} in this case.", code="source_taken"
            )
        if each.source != signal.source and each.by == signal.by:
            raise Conflict(
                f"You report as {each.source!a} in this case. Each source has a key of its own, unless "
                "the case was opened as collected.",
                code="one_source_each",
            )


def _says(signal: SignalRow) -> dict[str, object]:
    return {
        "signal": signal.id,
        "source": signal.source,
        "outcome": signal.outcome,
        "confidence": say_share(signal.confidence),
        "by": signal.by,
    }
