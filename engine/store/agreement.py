"""Whether runs, approvals, votes, checkpoints, rungs, messages and what is kept back are as journals have it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Select, Table, bindparam, select

from engine.digest import canonical, tagged
from engine.ids import RunId, TenantId
from engine.rules.chaining import Damage, Finding
from engine.rules.folding import Folded, FoldedApproval, FoldedVote
from engine.store import timely
from engine.store.approvals import DIGEST_TAG
from engine.store.database import Transaction
from engine.store.journal import Entry
from engine.store.statements import find
from engine.store.tables import (
    approvals,
    checkpoints,
    messages,
    runs,
    timers,
    versions,
    votes,
)

AT_ONCE: Final = 200  # runs whose rows are in memory together


def of_run(tx: Transaction, tenant: TenantId, run: RunId, entries: Iterable[Entry]) -> list[str]:
    """The same of one run, whose journal is `entries`, in sentences."""
    folded = Folded()
    for entry in entries:
        text = canonical(entry.data).decode()
        folded.take(entry.position, entry.kind, text, path=entry.path)
    rows = find(tx, runs, {"id": run, "tenant": tenant})
    return [finding.says for finding in disagreements(tx, tenant, rows, {run: folded})]


def disagreements(
    tx: Transaction, tenant: TenantId, rows: Sequence[Any], journals: Mapping[str, Folded]
) -> Iterator[Finding]:
    """Where a projection of the runs `rows`, at most `AT_ONCE`, says another thing than the journal."""
    names = [row.id for row in rows]
    asked = _by(tx, _APPROVALS, names, tenant)
    kept = _by(tx, _CHECKPOINTS, names, tenant)
    ids = [row.id for each in asked.values() for row in each]
    answered = _by(tx, _VOTES, ids, tenant)
    worded = _by(tx, _VERSIONS, ids, tenant)
    rungs, shown = _by(tx, _RUNGS, ids, tenant), _by(tx, _MESSAGES, ids, tenant)
    for row in rows:
        folded = journals.get(row.id)
        if folded is None:
            continue
        for position, says in folded.wrong:
            yield _found(row.id, f"position {position}: {says}", position=position)
        yield from _of_run(row, folded)
        yield from _of_checkpoints(row.id, kept[row.id], folded)
        stored = {each.id: each for each in asked[row.id]}
        for name in sorted(stored.keys() ^ folded.approvals.keys()):
            says = "is not in the journal" if name in stored else "is stored nowhere"
            yield _found(row.id, f"approval {name} {says}")
        for name in sorted(stored.keys() & folded.approvals.keys()):
            said = folded.approvals[name]
            yield from _of_approval(row.id, stored[name], said)
            yield from _of_votes(row.id, name, answered[name], said)
            yield from _of_versions(row.id, name, worded[name], stored[name])
            for says in timely.of_rungs(stored[name], rungs[name], said):
                yield _found(row.id, says)
            for says in timely.of_messages(stored[name], shown[name], said):
                yield _found(row.id, says)


def _of_run(row: Any, folded: Folded) -> Iterator[Finding]:
    shape = folded.shape
    if shape is not None and (shape.status, shape.reason) != (row.status, row.reason):
        yield _found(row.id, f"the journal says {shape.status}; the run is stored as {row.status}")
    said = folded.created
    told = (said.get("workflow"), folded.version, said.get("started_by"), said.get("owner"))
    if told != (row.workflow, row.workflow_version, row.started_by, row.owner):
        yield _found(row.id, "its workflow, version or starter is not the one in the journal")
    # Its stored text stands in the entry; only where it does not are the values compared.
    if f'"input":{row.input},' not in folded.created_text and said.get("input") != _read(row.input):
        yield _found(row.id, "its input is not the one in the journal")
    if (folded.accounts.held or None) != _read(row.reserved):
        yield _found(row.id, "what is kept back for its steps is not what the journal says")
    if folded.ended is not None:
        column, value = folded.ended
        if _read(getattr(row, column)) != value:
            yield _found(row.id, f"its {column} is not the one in the journal")


def _of_checkpoints(run: str, rows: Sequence[Any], folded: Folded) -> Iterator[Finding]:
    stored = {row.position: row.artifact for row in rows}
    said = {position: artifact for position, (_name, artifact) in folded.checkpoints.items()}
    if stored != said:
        yield _found(run, "its checkpoints are not those in the journal")


def _of_approval(run: str, row: Any, said: FoldedApproval) -> Iterator[Finding]:
    if not said.is_plain:
        return
    if said.status != row.status:
        yield _found(
            run, f"the journal says {row.id} is {said.status}; it is stored as {row.status}"
        )
    if (said.version, said.digest) != (row.version, row.digest):
        yield _found(run, f"the version or digest of {row.id} is not the one in the journal")
    if said.decision != _read(row.decision):
        yield _found(run, f"the decision on {row.id} is not the one in the journal")
    if said.is_consumed != (row.consumed_at is not None):
        yield _found(run, f"whether {row.id} was used is not as in the journal")


def _of_votes(run: str, name: str, rows: Iterable[Any], said: FoldedApproval) -> Iterator[Finding]:
    counted = [row for row in rows if not row.is_late]
    stored = {
        row.sequence: FoldedVote(
            version=row.version, person=row.person, choice=row.choice, comment=row.comment
        )
        for row in counted
    }
    if stored != said.votes:
        yield _found(run, f"the votes on {name} are not those in the journal")
        return
    newest = {(vote.version, vote.person): number for number, vote in sorted(stored.items())}
    if {row.sequence for row in counted if row.is_current} != set(newest.values()):
        yield _found(run, f"other votes on {name} are current than the newest of each person")


def _of_versions(run: str, name: str, rows: Iterable[Any], row: Any) -> Iterator[Finding]:
    newest = (None, None)
    for version in rows:
        # What people saw is bound by its digest, which the journal has as well.
        if tagged(DIGEST_TAG, version.content.encode()) != version.digest:
            yield _found(run, f"version {version.version} of {name} has another digest")
        if version.version == row.version:
            newest = (version.digest, version.content)
    if newest != (row.digest, row.content):
        yield _found(run, f"{name} is not its version {row.version}")


class _Rows(NamedTuple):
    """The rows of one table that belong to others, by the column that says to which."""

    owner: Column[str]
    query: Select[Any]

    @classmethod
    def of(cls, table: Table, owner: str, *names: str) -> "_Rows":
        wanted = (table.c[name] for name in (owner, *names))
        among = table.c[owner].in_(bindparam("among", expanding=True))
        query = select(*wanted).where(among, table.c.tenant == bindparam("tenant"))
        return cls(table.c[owner], query)


_APPROVALS: Final = _Rows.of(
    approvals,
    "run",
    "id",
    "status",
    "version",
    "digest",
    "content",
    "decision",
    "consumed_at",
    "ladder",
)
_CHECKPOINTS: Final = _Rows.of(checkpoints, "run", "position", "artifact")
_VOTES: Final = _Rows.of(
    votes, "approval", "sequence", "version", "person", "choice", "comment", "is_late", "is_current"
)
_RUNGS: Final = _Rows.of(timers, "approval", "rung", "fired_at", "cancelled_at")
_MESSAGES: Final = _Rows.of(messages, "approval", "shown_version")
_VERSIONS: Final = _Rows.of(versions, "approval", "version", "content", "digest")


def _by(
    tx: Transaction, rows: _Rows, values: Sequence[str], tenant: TenantId
) -> defaultdict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for first in range(0, len(values), AT_ONCE):
        given = {"among": values[first : first + AT_ONCE], "tenant": tenant}
        for row in tx.connection.execute(rows.query, given).all():
            found[row[0]].append(row)
    return found


def _read(text: str | None) -> object:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return _UNREADABLE


_UNREADABLE: Final = object()


def _found(chain: str, says: str, *, position: int | None = None) -> Finding:
    return Finding(damage=Damage.STATE, chain=chain, position=position, says=f"{chain}: {says}.")
