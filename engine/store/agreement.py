"""Whether runs, approvals, votes, checkpoints, rungs, messages and what is kept back are as journals have it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Table, select

from engine.digest import canonical, quoted, tagged
from engine.ids import RunId, TenantId
from engine.rules.chaining import Damage, Finding
from engine.rules.folding import Folded, FoldedApproval, FoldedVote
from engine.store import timely
from engine.store.approvals import DIGEST_TAG
from engine.store.database import Transaction
from engine.store.journal import Entry
from engine.store.statements import Among, find, whose
from engine.store.tables import (
    approvals,
    checkpoints,
    messages,
    runs,
    timers,
    versions,
    votes,
)

AT_ONCE: Final = 500  # runs whose rows are in memory together
_NONE: Final[Sequence[Any]] = ()


def of_run(tx: Transaction, tenant: TenantId, run: RunId, entries: Iterable[Entry]) -> list[str]:
    """Where what is stored of a run says another thing than its journal, which is `entries`, in sentences."""
    folded = Folded()
    for entry in entries:
        text = canonical(entry.data).decode()
        folded.take(entry.position, entry.kind, text, path=entry.path)
    rows, kept = find(tx, runs, {"id": run, "tenant": tenant}), stored(tx, tenant, [run])
    return [finding.says for row in rows for finding in disagreements(row, folded, kept)]


_ByOwner: TypeAlias = Mapping[str, Sequence[Sequence[Any]]]


class Stored(NamedTuple):
    """What is stored beside some runs, by run, and by approval where it belongs to one."""

    approvals: _ByOwner
    checkpoints: _ByOwner
    votes: _ByOwner
    versions: _ByOwner
    rungs: _ByOwner
    messages: _ByOwner


def stored(tx: Transaction, tenant: TenantId, names: Sequence[str]) -> Stored:
    """What there is of the runs `names`."""
    asked = _by(tx, _APPROVALS, names, tenant)
    ids = [row[1] for rows in asked.values() for row in rows]
    return Stored(
        approvals=asked,
        checkpoints=_by(tx, _CHECKPOINTS, names, tenant),
        votes=_by(tx, _VOTES, ids, tenant),
        versions=_by(tx, _VERSIONS, ids, tenant),
        rungs=_by(tx, _RUNGS, ids, tenant),
        messages=_by(tx, _MESSAGES, ids, tenant),
    )


def disagreements(row: Any, folded: Folded, kept: Stored) -> Iterator[Finding]:
    """Where a projection of the run `row` says another thing than its journal."""
    for position, says in folded.wrong:
        yield _found(row.id, f"position {position}: {says}", position=position)
    yield from _of_run(row, folded)
    if folded.checkpoints or row.id in kept.checkpoints:
        yield from _of_checkpoints(row.id, kept.checkpoints.get(row.id, _NONE), folded)
    asked = {each[1]: _Approval(*each) for each in kept.approvals.get(row.id, _NONE)}
    if asked.keys() != folded.approvals.keys():
        for name in sorted(asked.keys() ^ folded.approvals.keys()):
            says = "is not in the journal" if name in asked else "is stored nowhere"
            yield _found(row.id, f"approval {name} {says}")
    for name, said in folded.approvals.items():
        if name in asked:
            for says in _of_asked(asked[name], said, kept):
                yield _found(row.id, says)


class _Approval(NamedTuple):
    """An approval's row."""

    run: str
    id: str
    status: str
    version: int
    digest: str
    content: str
    decision: str | None
    consumed_at: object
    ladder: str


def _of_asked(row: _Approval, said: FoldedApproval, kept: Stored) -> Iterator[str]:
    if said.is_plain:
        yield from _of_approval(row, said)
    if said.votes or row.id in kept.votes:
        yield from _of_votes(row.id, kept.votes.get(row.id, _NONE), said)
    yield from _of_versions(row, kept.versions.get(row.id, _NONE))
    if said.is_plain:
        yield from timely.of_rungs(row, kept.rungs.get(row.id, _NONE), said)
    if row.id in kept.messages:
        yield from timely.of_messages(row.id, kept.messages[row.id], said)


def _of_run(row: Any, folded: Folded) -> Iterator[Finding]:
    shape = folded.shape
    if shape is not None and (shape.status, shape.reason) != (row.status, row.reason):
        yield _found(row.id, f"the journal says {shape.status}; the run is stored as {row.status}")
    is_plain = folded.adopted is None and row.sandbox is None
    if not is_plain or folded.created_text != _created(row):
        yield from _of_beginning(row, folded)
    if (folded.accounts.held or None) != _read(row.reserved):
        yield _found(row.id, "what is kept back for its steps is not what the journal says")
    if folded.ended is not None:
        column, value = folded.ended
        if _read(getattr(row, column)) != value:
            yield _found(row.id, f"its {column} is not the one in the journal")


def _created(row: Any) -> str:
    # What its first entry says, if nothing was out of the ordinary; only otherwise is that read.
    return (
        f'{{"input":{row.input},"owner":{quoted(row.owner)},"started_by":{quoted(row.started_by)},'
        f'"version":{quoted(row.workflow_version)},"workflow":{quoted(row.workflow)}}}'
    )


def _of_beginning(row: Any, folded: Folded) -> Iterator[Finding]:
    said = folded.created
    version = said.get("version") if folded.adopted is None else folded.adopted
    told = (said.get("workflow"), version, said.get("started_by"), said.get("owner"))
    if told != (row.workflow, row.workflow_version, row.started_by, row.owner):
        yield _found(row.id, "its workflow, version or starter is not the one in the journal")
    # Its stored text stands in the entry; only where it does not are the values compared.
    if f'"input":{row.input},' not in folded.created_text and said.get("input") != _read(row.input):
        yield _found(row.id, "its input is not the one in the journal")
    if said.get("sandbox") != _read(row.sandbox):
        yield _found(
            row.id, "whether it is in a sandbox, or what that answers, is not as in the journal"
        )


def _of_checkpoints(run: str, rows: Sequence[Sequence[Any]], folded: Folded) -> Iterator[Finding]:
    kept = {position: artifact for _run, position, artifact in rows}
    said = {position: artifact for position, (_name, artifact) in folded.checkpoints.items()}
    if kept != said:
        yield _found(run, "its checkpoints are not those in the journal")


def _of_approval(row: _Approval, said: FoldedApproval) -> Iterator[str]:
    if said.status != row.status:
        yield f"the journal says {row.id} is {said.status}; it is stored as {row.status}"
    if (said.version, said.digest) != (row.version, row.digest):
        yield f"the version or digest of {row.id} is not the one in the journal"
    if said.decision != _read(row.decision):
        yield f"the decision on {row.id} is not the one in the journal"
    if said.is_consumed != (row.consumed_at is not None):
        yield f"whether {row.id} was used is not as in the journal"


def _of_votes(name: str, rows: Sequence[Sequence[Any]], said: FoldedApproval) -> Iterator[str]:
    kept: dict[int, FoldedVote] = {}
    current: set[int] = set()
    for _approval, sequence, version, person, choice, comment, is_late, is_current in rows:
        if is_late:
            continue
        kept[sequence] = FoldedVote(version=version, person=person, choice=choice, comment=comment)
        if is_current:
            current.add(sequence)
    if kept != said.votes:
        yield f"the votes on {name} are not those in the journal"
        return
    newest = {(vote.version, vote.person): number for number, vote in sorted(kept.items())}
    if current != set(newest.values()):
        yield f"other votes on {name} are current than the newest of each person"


def _of_versions(row: _Approval, rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    is_newest = False
    for _approval, version, content, digest in rows:
        # What people saw is bound by its digest, which the journal has as well.
        if tagged(DIGEST_TAG, content.encode()) != digest:
            yield f"version {version} of {row.id} has another digest"
        if version == row.version:
            is_newest = (digest, content) == (row.digest, row.content)
    if not is_newest:
        yield f"{row.id} is not its version {row.version}"


def _rows(table: Table, owner: str, *names: str) -> Among:
    """The rows of one table that belong to others, by the column that says to which."""
    query = select(*(table.c[name] for name in (owner, *names)))
    return Among(query.where(whose(table)), table.c[owner])


_APPROVALS: Final = _rows(approvals, *_Approval._fields)
_CHECKPOINTS: Final = _rows(checkpoints, "run", "position", "artifact")
_VOTES: Final = _rows(
    votes, "approval", "sequence", "version", "person", "choice", "comment", "is_late", "is_current"
)
_RUNGS: Final = _rows(timers, "approval", "rung", "fired_at", "cancelled_at")
_MESSAGES: Final = _rows(messages, "approval", "shown_version")
_VERSIONS: Final = _rows(versions, "approval", "version", "content", "digest")


def _by(tx: Transaction, rows: Among, values: Sequence[str], tenant: TenantId) -> _ByOwner:
    found: dict[str, list[Sequence[Any]]] = {}
    for first in range(0, len(values), AT_ONCE):
        some = list(values[first : first + AT_ONCE])
        # One value more than once asks for nothing more, and few statements are built.
        size = next(size for size in _SIZES if size >= len(some))
        some += some[-1:] * (size - len(some))
        for row in rows.plain(tx, some, {"tenant": tenant}):
            found.setdefault(row[0], []).append(row)
    return found


_SIZES: Final = (1, 10, 100, AT_ONCE)


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
