"""What has ended stays as it is: the store takes no entry that would change it, whoever wants to write one."""

from functools import partial

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.rules.edges import RUN_EDGES
from engine.rules.states import ImpossibleChange
from engine.services import halting, runs
from engine.store import journal
from engine.store.database import Transaction
from engine.store.new_entry import NewEntry
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

LATER = sorted({edge.entry_kind for edge in RUN_EDGES} - {"rollback.started"})


def append(run: RunId, entry: NewEntry, tx: Transaction) -> None:
    journal.append(tx, run, [entry])


@pytest.mark.parametrize("end", ["completed", "rolled_back", "killed", "cancelled"])
async def test_nothing_is_written_to_a_run_that_has_ended(stage: Stage, end: str) -> None:
    run = await stage.start("deploy")

    def stop(tx: Transaction) -> None:
        if end == "killed":
            halting.kill(tx, DEFAULT_TENANT, run, by="person:ana", reason="Enough.")
        else:
            runs.cancel(tx, DEFAULT_TENANT, run, by="person:ana", reason="Enough.")

    if end in {"killed", "cancelled"}:
        await stage.database.write(stop)
    else:
        await stage.vote(run, "dana", "approve" if end == "completed" else "reject")
    before = await stage.picture(run)
    kinds = await stage.kinds(run)
    for kind in (*LATER, "step.begun", "step.finished", "compensation.begun"):
        entry = NewEntry(kind=kind, data={})
        with pytest.raises(ImpossibleChange, match=end.replace("_", ".")):
            await stage.database.write(partial(append, run, entry))

    assert before.row.status == end
    assert (await stage.picture(run)).row == before.row
    assert await stage.kinds(run) == kinds
    assert await stage.is_sound(run)
