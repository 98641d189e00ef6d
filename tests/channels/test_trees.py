"""Whoever is asked by a run that another started sees whose child it is, and how far the others are."""

import pytest

from channels.base import Card
from channels.cards import CardBuilder
from channels.email.rendering import card_html, card_text
from channels.email.view import card_view
from channels.slack.blocks import card_message
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId, RunId
from engine.store.database import Database
from tests.channels.office import BASE
from tests.clock import ManualClock
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage(database: Database, clock: ManualClock) -> Stage:
    made = Stage(database, clock)
    await made.prepare()
    return made


async def children(stage: Stage, run: RunId) -> list[RunId]:
    below = (await stage.picture(run)).family.children.get(run, ())
    return [each.id for each in below]


async def card_of(stage: Stage, run: RunId) -> Card:
    """What ana sees of the run's newest approval."""
    approval = ApprovalId((await stage.picture(run)).approvals[-1].id)
    cards = CardBuilder(stage.database, base_url=BASE)
    return await stage.database.read(
        lambda tx: cards.card_of(tx, DEFAULT_TENANT, approval, PersonId("ana"))
    )


async def test_a_run_that_stands_alone_says_nothing_of_trees(stage: Stage) -> None:
    run = await stage.start("deploy")

    card = await card_of(stage, run)

    assert card.tree == ""
    assert "Tree" not in str(card_message(card).blocks) + card_text(card_view(card))


async def test_a_child_names_its_parents_and_how_many_are_done(stage: Stage) -> None:
    run = await stage.start("journal_issue", topics=["bees", "ants", "flies"])
    first, second, _third = await children(stage, run)

    await stage.vote(first, "ana")
    card = await card_of(stage, second)

    said = "journal_issue > reader; 1 of 3 children of journal_issue done"
    assert card.tree == said
    view = card_view(card)
    shown = [str(card_message(card).blocks), card_text(view), card_html(view).replace("&gt;", ">")]
    assert [said in each for each in shown] == [True, True, True]


async def test_whoever_decides_for_the_parent_sees_how_many_children_are_done(
    stage: Stage,
) -> None:
    run = await stage.start("paper", topics=["bees"])

    assert (await card_of(stage, run)).tree == "1 of 1 child done"
