"""Whether runs, approvals, votes, checkpoints, rungs, messages and what is kept back are as journals have it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Table, select

from engine.digest import canonical, quoted, tagged
from engine.ids import RunId, TenantId
from engine.rules.chaining import Damage, Finding
from engine.rules.folding import Folded, FoldedApproval, FoldedVote
from engine.store import kept_runs, timely
from engine.store.approvals import DIGEST_TAG
from engine.store.database import Transaction
from engine.store.journal import Entry
from engine.store.kept_runs import Journaled
from engine.store.statements import Among, whose
from engine.store.tables import (
    approvals,
    checkpoints,
    messages,
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
    row, kept = kept_runs.stored_of(tx, tenant, run), stored(tx, tenant, [run])
    return [] if row is None else [each.says for each in disagreements(row, folded, kept)]


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


def disagreements(row: Journaled, folded: Folded, kept: Stored) -> list[Finding]:
    """Where a projection of the run `row` says another thing than its journal."""
    run = row.id
    found = [_found(run, f"position {at}: {says}", position=at) for at, says in folded.wrong]
    # Every run comes through here, and of most there is nothing to say: all that is said is put in one list.
    wrong: list[str] = []
    _of_run(row, folded, wrong)
    if folded.checkpoints or run in kept.checkpoints:
        _of_checkpoints(kept.checkpoints.get(run, _NONE), folded, wrong)
    asked = {each[1]: each for each in kept.approvals.get(run, _NONE)}
    if asked.keys() != folded.approvals.keys():
        for name in sorted(asked.keys() ^ folded.approvals.keys()):
            says = "is not in the journal" if name in asked else "is stored nowhere"
            wrong.append(f"approval {name} {says}")
    for name, said in folded.approvals.items():
        if name in asked:
            _of_asked(_Approval._make(asked[name]), said, kept, wrong)
    return found + [_found(run, says) for says in wrong] if wrong else found


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


def _of_asked(row: _Approval, said: FoldedApproval, kept: Stored, wrong: list[str]) -> None:
    if said.is_plain:
        _of_approval(row, said, wrong)
    if said.votes or row.id in kept.votes:
        _of_votes(row.id, kept.votes.get(row.id, _NONE), said, wrong)
    _of_versions(row, kept.versions.get(row.id, _NONE), wrong)
    if said.is_plain and (says := timely.of_rungs(row, kept.rungs.get(row.id, _NONE), said)):
        wrong.append(says)
    if row.id in kept.messages:
        wrong += timely.of_messages(row.id, kept.messages[row.id], said)


def _of_run(row: Journaled, folded: Folded, wrong: list[str]) -> None:
    shape = folded.shape
    if shape is not None and (shape.status != row.status or shape.reason != row.reason):
        wrong.append(f"the journal says {shape.status}; the run is stored as {row.status}")
    is_plain = folded.adopted is None and row.sandbox is None
    if not is_plain or folded.created_text != _created(row):
        _of_beginning(row, folded, wrong)
    if (folded.accounts.held or None) != _read(row.reserved):
        wrong.append("what is kept back for its steps is not what the journal says")
    if folded.ended is not None:
        column, value = folded.ended
        if _read(getattr(row, column)) != value:
            wrong.append(f"its {column} is not the one in the journal")


def _created(row: Journaled) -> str:
    # What its first entry says, if nothing was out of the ordinary; only otherwise is that read.
    begun = _begun(row.owner, row.started_by, row.workflow_version, row.workflow)
    return f'{{"input":{row.input},{begun}'


@lru_cache(maxsize=512)  # many runs begin alike
def _begun(owner: str | None, starter: str, version: str, workflow: str) -> str:
    return (
        f'"owner":{quoted(owner)},"started_by":{quoted(starter)},'
        f'"version":{quoted(version)},"workflow":{quoted(workflow)}}}'
    )


def _of_beginning(row: Journaled, folded: Folded, wrong: list[str]) -> None:
    said = folded.created
    version = said.get("version") if folded.adopted is None else folded.adopted
    told = (said.get("workflow"), version, said.get("started_by"), said.get("owner"))
    if told != (row.workflow, row.workflow_version, row.started_by, row.owner):
        wrong.append("its workflow, version or starter is not the one in the journal")
    # Its stored text stands in the entry; only where it does not are the values compared.
    if f'"input":{row.input},' not in folded.created_text and said.get("input") != _read(row.input):
        wrong.append("its input is not the one in the journal")
    if said.get("sandbox") != _read(row.sandbox):
        wrong.append("whether it is in a sandbox, or what that answers, is not as in the journal")


def _of_checkpoints(rows: Sequence[Sequence[Any]], folded: Folded, wrong: list[str]) -> None:
    kept = {position: artifact for _run, position, artifact in rows}
    said = {position: artifact for position, (_name, artifact) in folded.checkpoints.items()}
    if kept != said:
        wrong.append("its checkpoints are not those in the journal")


def _of_approval(row: _Approval, said: FoldedApproval, wrong: list[str]) -> None:
    if said.status != row.status:
        wrong.append(f"the journal says {row.id} is {said.status}; it is stored as {row.status}")
    if said.version != row.version or said.digest != row.digest:
        wrong.append(f"the version or digest of {row.id} is not the one in the journal")
    if said.decision != _read(row.decision):
        wrong.append(f"the decision on {row.id} is not the one in the journal")
    if said.is_consumed != (row.consumed_at is not None):
        wrong.append(f"whether {row.id} was used is not as in the journal")


def _of_votes(
    name: str, rows: Sequence[Sequence[Any]], said: FoldedApproval, wrong: list[str]
) -> None:
    kept: dict[int, FoldedVote] = {}
    current: set[int] = set()
    for _approval, sequence, version, person, choice, comment, is_late, is_current in rows:
        if is_late:
            continue
        kept[sequence] = FoldedVote(version=version, person=person, choice=choice, comment=comment)
        if is_current:
            current.add(sequence)
    if kept != said.votes:
        wrong.append(f"the votes on {name} are not those in the journal")
        return
    newest = {(vote.version, vote.person): number for number, vote in sorted(kept.items())}
    if current != set(newest.values()):
        wrong.append(f"other votes on {name} are current than the newest of each person")


def _of_versions(row: _Approval, rows: Sequence[Sequence[Any]], wrong: list[str]) -> None:
    is_newest = False
    for _approval, version, content, digest in rows:
        # What people saw is bound by its digest, which the journal has as well.
        if tagged(DIGEST_TAG, str(content).encode()) != digest:  # a hand may have stored bytes
            wrong.append(f"version {version} of {row.id} has another digest")
        if version == row.version:
            is_newest = digest == row.digest and content == row.content
    if not is_newest:
        wrong.append(f"{row.id} is not its version {row.version}")


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
            if row[0] in found:
                found[row[0]].append(row)
            else:
                found[row[0]] = [row]
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
