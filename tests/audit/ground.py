"""Two tenants' runs, votes and sign-ins in one file, anchored; and how it is tampered with and checked."""

import dataclasses
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bot.chaos.checker.chains import audit_hash, journal_hash
from engine.ids import DEFAULT_TENANT, PersonId, RunId, SystemIds, TenantId
from engine.runtime.once import receipts_in
from engine.services import anchoring, auditing, keys, runs, tenants, votes, witnessing
from engine.services.keys import NewKey, Scope
from engine.signing import Signer
from engine.store.anchors import Anchor
from engine.store.database import Database, Transaction
from engine.store.findings import Report
from engine.store.runs import NewRun
from engine.store.sqlite import SqliteDatabase, opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.engine.stage import Stage
from tests.fixtures import SECRET
from tests.triggers import TAKEN_AWAY

ACME = TenantId("acme")
SIGNER = Signer(bytes(range(32)))
LATER = timedelta(hours=5)


@dataclass(frozen=True)
class Ground:
    """A file, and an older copy of it; `witness` is what was kept outside."""

    folder: Path
    names: Mapping[str, str]
    witness: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.folder / "signoff.db"

    @property
    def older(self) -> Path:
        return self.folder / "older.db"

    def copied(self, to: Path) -> "Ground":
        for name in ("signoff.db", "older.db"):
            shutil.copyfile(self.folder / name, to / name)
        return dataclasses.replace(self, folder=to)

    def tamper(self, script: str) -> None:
        """Run SQL as somebody who has the file, and who knows of the triggers."""
        with closing(sqlite3.connect(self.path)) as connection:
            self._open_up(connection)
            connection.executescript(script.format(**self.names))
            connection.commit()

    def rehash(self, run: str, *, mend_head: bool = True) -> None:
        """Compute every hash of a run's journal anew, as if nothing had happened."""
        with closing(sqlite3.connect(self.path)) as connection:
            self._open_up(connection)
            query = f"SELECT * FROM journal WHERE run = '{run}' ORDER BY position"
            head, count = _rehashed(connection, "journal", query), 0
            (count,) = connection.execute(
                f"SELECT count(*) FROM journal WHERE run = '{run}'"
            ).fetchone()
            if mend_head:
                connection.execute(
                    f"UPDATE runs SET head = '{head}', next_position = {count} WHERE id = '{run}'"
                )
            connection.commit()

    def rehash_audit(self) -> None:
        """The same with the audit of the first tenant."""
        with closing(sqlite3.connect(self.path)) as connection:
            self._open_up(connection)
            query = "SELECT * FROM audit WHERE tenant = 'default' ORDER BY position"
            _rehashed(connection, "audit", query)
            connection.commit()

    def rewind(self) -> None:
        """Put the older copy in place of the file."""
        shutil.copyfile(self.older, self.path)

    def _open_up(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        for taken_away in TAKEN_AWAY:
            connection.execute(taken_away)

    async def verified(self, tenant: TenantId = DEFAULT_TENANT) -> Report:
        """What a walk over the file says, together with what was kept outside."""
        async with opened_at(self.path) as database:
            report = await auditing.verify(database, tenant, trusted=[SIGNER.public])
            stored = {each.number: each for each in await _anchors(database, tenant)}
            witness = witnessing.Witness(tenant, trusted=[SIGNER.public])
            for line in self.witness:
                kept = witness.read(line)
                if kept is not None:
                    report.add(list(witness.judge(kept, stored.get(kept.number))))
            return report


def opened_at(path: Path) -> Any:
    """The file, as a server has it."""
    return opened(path, clock=ManualClock(), ids=SystemIds(), tokens=Tokens(SECRET))


async def populated(folder: Path) -> Ground:
    """Let much happen, and anchor all of it."""
    clock = ManualClock()
    path = folder / "signoff.db"
    async with opened(path, clock=clock, ids=SystemIds(), tokens=Tokens(SECRET)) as database:
        stage = Stage(database, clock)
        await stage.prepare()
        await database.write(_other_tenant)
        undone = await stage.start("deploy")
        first = await anchored(database)
        older = folder / "older.db"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(older)) as target:
            source.backup(target)
        names = await _stories(stage, undone)
        lines = [anchor.line() for anchor in [*first, *await anchored(database)]]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Ground(folder, names, tuple(lines))


async def anchored(database: Database) -> list[Anchor]:
    """Anchors of everything, for both tenants."""
    made: list[Anchor] = []
    for tenant in (DEFAULT_TENANT, ACME):
        made.extend(await anchoring.anchor_all(database, tenant, SIGNER))
    return made


async def _stories(stage: Stage, undone: RunId) -> dict[str, str]:
    await stage.pass_time(LATER)
    paid = await stage.start("paid-refund")
    for person in ("dana", "ana", "bo"):
        await stage.vote(paid, person, comment="looks right")
    waits = await stage.start("deploy")
    for number in range(5):
        await stage.database.write(partial(_key, name=f"key {number}"))
    ledger = receipts_in(stage.database, DEFAULT_TENANT, by="worker:one")
    await ledger.once("order-17", "refund", {"order": "17"}, lambda: {"refund": "made"})
    for order in ("order-18", "again-18"):
        await ledger.once(order, "refund", {"order": "18"}, lambda: "made", name="refund of 18")
    found = {"paid": paid, "undone": undone, "open": waits, "acme": "run_acme"}
    asked = {
        f"a{name}": (await stage.picture(RunId(run))).approvals[-1].id
        for name, run in found.items()
        if name != "acme"
    }
    return {**found, **asked}


def _key(tx: Transaction, name: str) -> None:
    new = NewKey(name=name, scopes=frozenset({Scope.READ}))
    keys.create(tx, DEFAULT_TENANT, new, by="person:ana")


def _other_tenant(tx: Transaction) -> None:
    tenants.keep(tx, ACME, name="Acme")
    for name in ("run_acme", "run_acme2"):
        new = NewRun(
            id=RunId(name),
            tenant=ACME,
            workflow="greet",
            version="1",
            input={},
            started_by="key:agent",
        )
        runs.start(tx, new)
    votes.refused(tx, ACME, what="a vote", who=PersonId("nobody"), why="stranger", channel="web")


async def _anchors(database: SqliteDatabase, tenant: TenantId) -> list[Anchor]:
    return await database.read(lambda tx: anchoring.listing(tx, tenant, after=0, limit=1000))


def _rehashed(connection: sqlite3.Connection, table: str, query: str) -> str:
    previous, hashed = "", {"journal": journal_hash, "audit": audit_hash}[table]
    key = {"journal": "run", "audit": "tenant"}[table]
    for row in connection.execute(query).fetchall():
        line = {**dict(row), "previous": previous}
        connection.execute(
            f"UPDATE {table} SET previous = ?, hash = ? WHERE {key} = ? AND position = ?",
            (previous, hashed(line), line[key], line["position"]),
        )
        previous = hashed(line)
    return previous
