"""What grows old: which runs and how much of the audit, and taking it away behind a signed summary."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, and_, delete, exists, or_, select

from engine.clock import from_iso, iso
from engine.digest import canonical
from engine.ids import RunId, TenantId
from engine.rules.chaining import AUDIT, ChainCheck, Line
from engine.rules.folding import Folded
from engine.signing import Signer
from engine.store import balances, legal_holds, lines, segments
from engine.store.audit import take_the_pen
from engine.store.database import Transaction
from engine.store.segments import TAG, Segment
from engine.store.statements import add_new, change, find
from engine.store.tables import (
    approvals,
    artifacts,
    audit,
    checkpoints,
    journal,
    links,
    messages,
    outbox,
    prunings,
    receipts,
    runs,
    timers,
    versions,
    votes,
)

AT_ONCE: Final = 500  # rows of one deed, so that nobody waits for it long
_OF_APPROVALS: Final[tuple[Table, ...]] = (votes, versions, timers, links)


@dataclass(frozen=True, slots=True)
class Kept:
    """What legal holds keep: everything, or these runs."""

    everything: bool
    runs: frozenset[str]
    is_any: bool  # whether there is a hold at all


def kept_by_holds(tx: Transaction, tenant: TenantId) -> Kept:
    """What must stay: what a hold names, and every run that a held person started, asked for or voted in."""
    scopes = {hold.scope for hold in legal_holds.listing(tx, tenant)}
    named = {scope.removeprefix("run:") for scope in scopes if scope.startswith("run:")}
    for scope in scopes:
        if scope.startswith("person:"):
            named |= _of_person(tx, tenant, scope.removeprefix("person:"))
    return Kept(
        everything=legal_holds.EVERYTHING in scopes, runs=frozenset(named), is_any=bool(scopes)
    )


def with_old_payload(
    tx: Transaction, tenant: TenantId, before: datetime, kept: Kept, *, limit: int
) -> list[RunId]:
    """Runs that ended before then and still have their artifacts, the oldest first."""
    done = exists().where(prunings.c.run == runs.c.id)
    return _old(tx, tenant, before, kept, ~done, limit=limit)


def with_old_record(
    tx: Transaction, tenant: TenantId, before: datetime, kept: Kept, *, limit: int
) -> list[RunId]:
    """Runs that ended before then and still have a journal, the oldest first."""
    done = exists().where(prunings.c.run == runs.c.id, prunings.c.record_at.is_not(None))
    return _old(tx, tenant, before, kept, ~done, limit=limit)


def lock(tx: Transaction, tenant: TenantId, run: RunId) -> None:
    """Let nobody else prune the run before this deed has ended."""
    find(tx, runs, {"id": run, "tenant": tenant}, lock=True)


def prune_payload(tx: Transaction, tenant: TenantId, run: RunId) -> int:
    """Delete the snapshots of a run that no other run has; gives how many there were."""
    of_others = exists().where(
        checkpoints.c.tenant == tenant,
        checkpoints.c.artifact == artifacts.c.hash,
        checkpoints.c.run != run,
        ~exists().where(prunings.c.run == checkpoints.c.run),
    )
    own = select(checkpoints.c.artifact).where(checkpoints.c.run == run)
    found = tx.connection.execute(
        select(artifacts.c.hash).where(
            artifacts.c.tenant == tenant,
            artifacts.c.hash.in_(own),
            ~of_others,
            ~exists().where(receipts.c.tenant == tenant, receipts.c.artifact == artifacts.c.hash),
        )
    )
    gone = [row[0] for row in found]
    tx.connection.execute(
        delete(artifacts).where(artifacts.c.tenant == tenant, artifacts.c.hash.in_(gone))
    )
    add_new(tx, prunings, {"tenant": tenant, "run": run, "payload_at": tx.now, "record_at": None})
    return len(gone)


def prune_outbox(tx: Transaction, tenant: TenantId, before: datetime, kept: Kept) -> int:
    """Delete some of what was sent, or given up, before then; gives how many there were."""
    held = (
        select(messages.c.id)
        .join(approvals, approvals.c.id == messages.c.approval)
        .where(approvals.c.run.in_(kept.runs))
    )
    old = (
        select(outbox.c.id)
        .where(
            outbox.c.tenant == tenant,
            outbox.c.ended_at < before,
            or_(outbox.c.message.is_(None), outbox.c.message.not_in(held)),
        )
        .limit(AT_ONCE)
    )
    found = [row[0] for row in tx.connection.execute(old)]
    tx.connection.execute(delete(outbox).where(outbox.c.id.in_(found)))
    return len(found)


def prune_record(tx: Transaction, tenant: TenantId, run: RunId, signer: Signer) -> int:
    """Put a signed summary in place of a run's journal, and empty the run; gives how many entries there were.

    What is left of it is its row: which workflow, how it ended and when, and its head. One that is not
    as it was written stays: that is to be found, and not tidied away.
    """
    head, length = tx.connection.execute(
        select(runs.c.head, runs.c.next_position).where(runs.c.id == run, runs.c.tenant == tenant)
    ).one()
    check, span = ChainCheck(run), _Span(chain=run, first=0, previous="")
    for line in lines.journal_of(tx, tenant, run):
        check.take(line)
        span.take(line)
    check.end(length=length, head=head)
    if check.findings or span.folded.wrong:
        return 0
    _summarise(tx, tenant, span, signer)
    tx.connection.execute(delete(journal).where(journal.c.run == run, journal.c.tenant == tenant))
    _forget_projections(tx, tenant, run)
    change(tx, runs, {"id": run}, {"input": "{}", "result": None, "error": None})
    add_new(tx, prunings, {"tenant": tenant, "run": run, "payload_at": tx.now, "record_at": None})
    change(tx, prunings, {"tenant": tenant, "run": run}, {"record_at": tx.now})
    return span.last + 1


def prune_audit(tx: Transaction, tenant: TenantId, before: datetime, signer: Signer) -> int:
    """The same with the beginning of the audit, some at a time; its newest entry always stays."""
    take_the_pen(tx, tenant)
    found = list(lines.audit_lines(tx, tenant, most=AT_ONCE + 1))[:-1]
    old = [line for line in found if from_iso(line.at) < before]
    if not old or old != found[: len(old)]:
        return 0
    first = old[0]
    check = ChainCheck(AUDIT, position=first.position, previous=first.previous)
    span = _Span(chain=AUDIT, first=first.position, previous=first.previous)
    for line in old:
        check.take(line)
        span.take(line)
    if check.findings:
        return 0
    _summarise(tx, tenant, span, signer)
    tx.connection.execute(
        delete(audit).where(audit.c.tenant == tenant, audit.c.position <= span.last)
    )
    return len(old)


@dataclass(slots=True, kw_only=True)
class _Span:
    """What a summary says of the entries that are gone: how many of which kind, and from when to when."""

    chain: str
    first: int
    previous: str
    last: int = -1
    head: str = ""
    since: str = ""
    until: str = ""
    kinds: Counter[str] = field(default_factory=Counter[str])
    folded: Folded = field(default_factory=Folded)
    switched: dict[str, bool] = field(default_factory=dict[str, bool])  # by scope, the last word

    def take(self, line: Line) -> None:
        self.last, self.head = line.position, line.hash
        self.since, self.until = self.since or line.at, line.at
        self.kinds[line.kind] += 1
        if self.chain != AUDIT:
            self.folded.take(line.position, line.kind, line.data, path=line.path)
        elif (said := balances.switched(line)) is not None:
            self.switched[said[0]] = said[1]

    def totals(self) -> dict[str, object]:
        """What budgets and kill switches are compared with, where the entries are not there any more."""
        accounts = self.folded.accounts
        return {
            "spent": [[*key, amount] for key, amount in sorted(accounts.spent.items())],
            "granted": [[*key, amount] for key, amount in sorted(accounts.granted.items())],
            "switched": [[scope, is_on] for scope, is_on in sorted(self.switched.items())],
        }


def _summarise(tx: Transaction, tenant: TenantId, span: _Span, signer: Signer) -> None:
    words = canonical(
        {
            "version": TAG,
            "tenant": tenant,
            "chain": span.chain,
            "first": span.first,
            "last": span.last,
            "previous": span.previous,
            "hash": span.head,
            "kinds": dict(span.kinds),
            "totals": span.totals(),
            "since": span.since,
            "until": span.until,
            "at": iso(tx.now),
            "key": signer.public,
        }
    )
    segment = Segment(
        chain=span.chain,
        first=span.first,
        last=span.last,
        words=words.decode(),
        signature=signer.sign(words),
    )
    segments.keep(tx, tenant, segment, at=tx.now)


def _forget_projections(tx: Transaction, tenant: TenantId, run: RunId) -> None:
    asked = select(approvals.c.id).where(approvals.c.run == run, approvals.c.tenant == tenant)
    shown = select(messages.c.id).where(messages.c.approval.in_(asked))
    tx.connection.execute(delete(outbox).where(outbox.c.message.in_(shown)))
    for table in (*_OF_APPROVALS, messages):
        tx.connection.execute(delete(table).where(table.c.approval.in_(asked)))
    for table in (approvals, checkpoints):
        tx.connection.execute(delete(table).where(table.c.run == run, table.c.tenant == tenant))


def _old(
    tx: Transaction, tenant: TenantId, before: datetime, kept: Kept, wanted: Any, *, limit: int
) -> list[RunId]:
    if kept.everything:
        return []
    root = runs.alias("root_of")
    # Whoever started it may still undo it: a tree grows old as a whole.
    goes_on = exists().where(
        root.c.id == runs.c.root, or_(root.c.ended_at.is_(None), root.c.ended_at >= before)
    )
    rows = tx.connection.execute(
        select(runs.c.id)
        .where(
            and_(
                runs.c.tenant == tenant,
                runs.c.ended_at < before,
                runs.c.id.not_in(kept.runs),
                ~goes_on,
                wanted,
            )
        )
        .order_by(runs.c.ended_at, runs.c.id)
        .limit(limit)
    )
    return [RunId(row[0]) for row in rows]


def _of_person(tx: Transaction, tenant: TenantId, person: str) -> set[str]:
    """The runs that `person` started, owns, asked something in, or voted in."""
    spoken = or_(
        runs.c.started_by == f"person:{person}",
        runs.c.owner == person,
        runs.c.id.in_(
            select(approvals.c.run).where(
                or_(
                    approvals.c.requester == f"person:{person}",
                    approvals.c.id.in_(select(votes.c.approval).where(votes.c.person == person)),
                )
            )
        ),
    )
    rows = tx.connection.execute(select(runs.c.id).where(runs.c.tenant == tenant, spoken))
    return {row[0] for row in rows}
