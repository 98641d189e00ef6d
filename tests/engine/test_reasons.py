"""A run that has no consent says why in its journal, with the title and the names that people know."""

from datetime import timedelta

import pytest

from engine.ids import DEFAULT_TENANT, RunId
from engine.services import changing, keys
from engine.services.keys import NewKey
from engine.store import subjects
from engine.store.database import Transaction
from engine.store.keys import Caller
from tests.engine.stage import Stage
from tests.engine.test_steps import OPERATOR

pytestmark = pytest.mark.anyio


async def reason(stage: Stage, run: RunId) -> object:
    """Why the run was rolled back."""
    rollback = (await stage.picture(run)).rollback
    return None if rollback is None else rollback.reason


async def test_a_rejection_is_told_with_its_title_and_its_voter(stage: Stage) -> None:
    run = await stage.start("deploy")

    await stage.vote(run, "dana", "reject", comment="not on a Friday")

    said = "“Keep the deployment?” was rejected by Dana: not on a Friday."
    assert await reason(stage, run) == said
    assert (await stage.picture(run)).row.error == {"code": "rolled_back", "message": said}


async def test_a_run_that_fails_for_want_of_consent_says_so_too(stage: Stage) -> None:
    run = await stage.start("deploy", on_reject="fail")

    await stage.vote(run, "ana", "reject")

    message = "“Keep the deployment?” was rejected by Ana."
    assert (await stage.picture(run)).row.error == {"code": "rejected", "message": message}


@pytest.mark.parametrize("rung", ["reject after 1h", "rollback after 1h"])
async def test_time_that_is_over_is_told_by_the_rung(stage: Stage, rung: str) -> None:
    run = await stage.start("patient", rung=rung)

    await stage.pass_time(timedelta(hours=1))

    assert await reason(stage, run) == f"“Go on?” was not decided in time: {rung}."


async def test_who_withdrew_is_told_by_name_also_where_it_was_a_key(stage: Stage) -> None:
    run = await stage.start("deploy")
    (approval,) = (await stage.picture(run)).approvals

    def withdraw(tx: Transaction) -> None:
        wanted = NewKey(name="night desk", scopes=["operate"])
        row, _ = keys.create(tx, DEFAULT_TENANT, wanted, by="local")
        caller = Caller(
            tenant=DEFAULT_TENANT,
            key=row.id,
            person=None,
            scopes=row.scopes,
            owner=None,
            name=row.name,
            kind="key",
        )
        changing.cancel(tx, caller, approval.id, reason="Wrong branch.")

    await stage.database.write(withdraw)
    await stage.worker().drain()

    assert await reason(stage, run) == (
        "“Keep the deployment?” was withdrawn by night desk: Wrong branch."
    )


async def test_names_are_those_of_people_keys_and_this_machine(stage: Stage) -> None:
    asked = [
        "person:ana",
        "ana",
        "bo",
        "key:key_none",
        "local",
        "workflow:deploy",
        "\0",
        "person:key:x",
    ]

    found = await stage.database.read(lambda tx: subjects.names_of(tx, DEFAULT_TENANT, asked))
    unknown = await stage.database.read(
        lambda tx: subjects.name_of(tx, DEFAULT_TENANT, "key:key_none")
    )

    assert found == {"person:ana": "Ana", "ana": "Ana", "bo": "Bo", "local": OPERATOR.name}
    assert unknown == "key:key_none"
