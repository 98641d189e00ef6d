"""Whether runs, approvals, votes and checkpoints are as stored what their journals make of them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from engine.digest import canonical, tagged
from engine.ids import TenantId
from engine.rules.chaining import Damage, Finding
from engine.rules.folding import Folded, FoldedApproval, FoldedVote
from engine.store.approvals import DIGEST_TAG
from engine.store.database import Transaction
from engine.store.tables import approvals, checkpoints, versions, votes

AT_ONCE: Final = 200  # runs whose rows are in memory together


def disagreements(
    tx: Transaction, tenant: TenantId, rows: Sequence[Any], journals: Mapping[str, Folded]
) -> Iterator[Finding]:
    """Where a projection of the runs `rows`, at most `AT_ONCE`, says another thing than the journal."""
    names = [row.id for row in rows]
    asked = _by(tx, approvals, "run", names, tenant)
    kept = _by(tx, checkpoints, "run", names, tenant)
    ids = [row.id for each in asked.values() for row in each]
    answered = _by(tx, votes, "approval", ids, tenant)
    worded = _by(tx, versions, "approval", ids, tenant)
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


def _of_run(row: Any, folded: Folded) -> Iterator[Finding]:
    shape = folded.shape
    if shape is not None and (shape.status, shape.reason) != (row.status, row.reason):
        yield _found(row.id, f"the journal says {shape.status}; the run is stored as {row.status}")
    said = folded.created
    told = (said.get("workflow"), folded.version, said.get("started_by"), said.get("owner"))
    if told != (row.workflow, row.workflow_version, row.started_by, row.owner):
        yield _found(row.id, "its workflow, version or starter is not the one in the journal")
    if said.get("input") != _read(row.input):
        yield _found(row.id, "its input is not the one in the journal")
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
    elif said.content is not None and canonical(said.content).decode() != row.content:
        yield _found(run, f"what {row.id} asks is not what the journal says")
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
    newest = None
    for version in rows:
        if tagged(DIGEST_TAG, version.content.encode()) != version.digest:
            yield _found(run, f"version {version.version} of {name} has another digest")
        if version.version == row.version:
            newest = version.digest
    if newest != row.digest:
        yield _found(run, f"{name} is not its version {row.version}")


def _by(
    tx: Transaction, table: Any, column: str, values: Sequence[str], tenant: TenantId
) -> defaultdict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for first in range(0, len(values), AT_ONCE):
        some = values[first : first + AT_ONCE]
        query = select(table).where(table.c[column].in_(some), table.c.tenant == tenant)
        for row in tx.connection.execute(query):
            found[getattr(row, column)].append(row)
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
