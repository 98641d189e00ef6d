"""Whether every journal and the audit still hang together, over a whole database and in little memory."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Any, Final

from sqlalchemy import Row, select

from engine.clock import iso
from engine.digest import canonical, sha256
from engine.ids import RunId, TenantId
from engine.rules.chaining import AUDIT, ChainCheck
from engine.store import journal, segments
from engine.store.carrying import batches
from engine.store.database import Transaction
from engine.store.journal import Entry
from engine.store.runs import DAMAGED
from engine.store.tables import audit, runs

PAGE: Final = 100  # runs whose journals are in memory at once


def broken_chains(tx: Transaction) -> Iterator[str]:
    """What is not as it was written: `run run_…` and `audit of …`, each once."""
    for row in _runs(tx):
        begun = _begun(tx, TenantId(row.tenant), row.id)
        if not _is_whole(_entries(tx, RunId(row.id)), row.next_position, row.head, begun):
            yield f"run {row.id}"
    lines = chain.from_iterable(batches(tx.connection, audit))
    for tenant, audited in groupby(lines, key=lambda line: str(line.tenant)):
        if not _follows(audited, _begun(tx, TenantId(tenant), AUDIT)):
            yield f"audit of {tenant}"


def _runs(tx: Transaction) -> Iterator[Row[*tuple[Any, ...]]]:
    after = ""
    heads = (
        select(runs.c.id, runs.c.tenant, runs.c.next_position, runs.c.head)
        .order_by(runs.c.id)
        .limit(PAGE)
    )
    while page := tx.connection.execute(heads.where(runs.c.id > after)).all():
        yield from page
        after = page[-1].id


def _entries(tx: Transaction, run: RunId) -> Sequence[Entry]:
    try:
        return journal.entries(tx, run)
    except DAMAGED:
        return ()


def _begun(tx: Transaction, tenant: TenantId, chain: str) -> ChainCheck:
    """Where the chain begins: behind what was pruned of it."""
    check = ChainCheck(chain)
    segments.follow(check, segments.of_chain(tx, tenant, chain), tenant=tenant, trusted=None)
    return check


def _is_whole(entries: Sequence[Entry], length: int, head: str, begun: ChainCheck) -> bool:
    previous = begun.previous
    for position, entry in enumerate(entries, begun.position):
        is_next = entry.position == position and entry.previous == previous
        if not is_next or journal.hash_of(entry) != entry.hash:
            return False
        previous = entry.hash
    is_all = begun.position + len(entries) == length
    return is_all and previous == head and not begun.findings


def _follows(lines: Iterator[Row[*tuple[Any, ...]]], begun: ChainCheck) -> bool:
    previous, is_whole = begun.previous, not begun.findings
    for position, line in enumerate(lines, begun.position):
        body = {
            "tenant": line.tenant,
            "position": position,
            "kind": line.kind,
            "data": _data(line.data),
            "at": iso(line.at),
            "previous": previous,
        }
        is_whole = is_whole and line.position == position and line.hash == sha256(canonical(body))
        previous = line.hash
    return is_whole


def _data(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
