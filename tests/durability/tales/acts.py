"""What people, workers and operators do in the stories: each does it again when nobody answers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from engine.ids import DEFAULT_TENANT, PersonId, RunId
from engine.runtime.worker import Worker
from engine.services import idempotency, runs
from engine.services.keys import Caller, Scope
from engine.store.database import Transaction
from engine.store.runs import NewRun
from tests.durability.scene import LATER
from tests.durability.tales.telling import Act, Telling

BY = "person:zoe"
WHY = "because"
OPERATOR = Caller(
    tenant=DEFAULT_TENANT, key=None, person=None, scopes=frozenset(Scope), owner=None,
    name="Zoe", kind="local",
)  # fmt: skip


def start(workflow: str, **given: object) -> Act:
    """Start a run as the API does: under a key, so that a repeat starts no other one."""

    async def act(telling: Telling) -> None:
        key = telling.name(f"start-{workflow}")

        def deed(tx: Transaction) -> str:
            who = {"caller": "key:agent", "key": key, "fingerprint": key}
            if known := idempotency.recall(tx, DEFAULT_TENANT, **who):
                return known
            run = RunId(tx.ids.new("run"))
            new = NewRun(
                id=run, tenant=DEFAULT_TENANT, workflow=workflow, version="1", input=given,
                started_by="key:agent",
            )  # fmt: skip
            runs.start(tx, new)
            idempotency.remember(tx, DEFAULT_TENANT, **who, answer=run)
            return run

        telling.runs.append(RunId(await telling.on.write(deed)))

    return act


async def drive(telling: Telling) -> None:
    """Whoever drives, drives all that is due."""
    await telling.scene.drive(telling.on)


async def deliver(telling: Telling) -> None:
    """Whoever delivers, delivers all that is due."""
    await telling.scene.deliver(telling.on)


def time(by: timedelta = LATER) -> Act:
    """Time passes, and whoever drives is awake."""

    async def act(telling: Telling) -> None:
        await telling.scene.pass_time(by)
        await drive(telling)

    return act


def vote(person: str, choice: str = "approve") -> Act:
    """Somebody votes on what is asked last."""

    async def act(telling: Telling) -> None:
        picture = await telling.scene.picture(telling.runs[-1])
        asked = [each.id for each in picture.approvals]
        # A question about more money is another run's.
        approval = telling.kept["asked"] = (
            picture.row.awaits or (asked or [telling.kept["asked"]])[-1]
        )
        await telling.scene.vote(approval, person, choice, on=telling.on)

    return act


def does(deed: Callable[[Transaction, Telling], object], keep: str = "answer") -> Act:
    """One deed, whose answer is remembered if there is one."""

    async def act(telling: Telling) -> None:
        telling.kept[keep] = await telling.on.write(lambda tx: deed(tx, telling))

    return act


def on_run(deed: Callable[..., object]) -> Act:
    """What an operator does to the run."""
    return does(lambda tx, telling: deed(tx, DEFAULT_TENANT, telling.run, by=BY, reason=WHY))


def worker(telling: Telling) -> Worker:
    """A worker on the database that may fail."""
    return telling.scene.worker(telling.on)


def looks(query: Callable[[Transaction, Telling], Any]) -> Callable[[Telling], Any]:
    """What is to be seen in the end."""

    async def look(telling: Telling) -> object:
        return await telling.scene.database.read(lambda tx: query(tx, telling))

    return look


ANA = PersonId("ana")
