"""Forms in Slack: filled in on a phone, refused under their inputs, and agreed to with one press."""

import json

import pytest

from bot.demo.slack.inputs import Typed
from bot.demo.slack.messages import Message
from bot.demo.slack.signing import payload_of
from bot.demo.trees import Record, records, text
from engine.ids import DEFAULT_TENANT
from engine.rules import ballots
from engine.services import changing
from engine.store.requests import Edit
from tests.channels.slack.forms import (
    ASKED,
    EASY,
    FILLED,
    filled,
    forged,
    inputs,
    opened,
    refused,
    shown_again,
    state_of,
)
from tests.channels.slack.scene import ANA, BO, CHEN, DEE, Scene
from tests.engine.test_editing import AGENT

pytestmark = pytest.mark.anyio

ALL: dict[str, Typed] = {
    **FILLED,
    "why": "One\nTwo",
    "Replicas": "4",
    "share": "1.5",
    "On call": [],
    "Checks": ["1", "0"],
    "region": "10",
    "zones": ["2"],
    "day": "2026-11-22",
}


@pytest.mark.parametrize(
    ("values", "label", "words"),
    [
        ({"Note": "    "}, "Note", "'Note' must be answered to approve."),
        ({"Replicas": "-" + "9" * 17}, "Replicas", "'Replicas' needs a whole number."),
        ({"When": None}, "When", "Please complete this required field."),
        ({"Safe": None}, "Safe", "Please complete this required field."),
        ({"Note": "no"}, "Note", "Please enter at least 3 characters."),
        ({"Replicas": "1.5"}, "Replicas", "Please enter a valid number."),
        ({"share": "3"}, "share", "Please enter a number of at most 2.5."),
        ({"zones": ["0", "1", "2"]}, "zones", "Please choose no more than 2 options."),
    ],
)
async def test_what_cannot_be_taken_is_told_under_its_input_and_all_that_was_typed_stays(
    told: Scene, values: dict[str, Typed], label: str, words: str
) -> None:
    asked, message = await told.posted(**ASKED)

    sent = await filled(told, ANA, message, {**FILLED, **values, "why": "Because"})

    block = text(inputs(told, ANA)[label], "block_id")
    view = await told.slack.modal(ANA)
    assert sent.errors == {block: words}
    assert view.typed[text(inputs(told, ANA)["why"], "block_id")] == "Because"
    assert await told.said(asked) == []


BROKEN: dict[str, Record] = {
    "an option that is none": {"type": "radio_buttons", "selected_option": {"value": "2"}},
    "an option without a number": {"type": "radio_buttons", "selected_option": {}},
    "another kind of input": {"type": "plain_text_input", "value": "tonight"},
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_an_answer_that_no_window_gives_is_no_vote(told: Scene, broken: str) -> None:
    asked, message = await told.posted(**ASKED, quorum=1)
    sent = await refused(told, ANA, message)
    note = {"signoff:put": {"type": "plain_text_input", "value": "Rolling"}}
    state = {**state_of(sent), "signoff:asked:1": note}

    values = {**state, "signoff:asked:0": {"signoff:put": BROKEN[broken]}}
    answer = await forged(told, sent, state={"values": values})

    assert "Nothing was recorded" in json.dumps(answer)
    assert await told.said(asked) == []


@pytest.mark.parametrize("broken", ["nothing", "one missing", "one more", "named otherwise"])
async def test_inputs_that_are_not_those_of_the_window_are_no_vote(
    told: Scene, broken: str
) -> None:
    asked, message = await told.posted(**ASKED, quorum=1)
    sent = await refused(told, ANA, message)
    note: Record = {"type": "plain_text_input", "value": "Rolling"}
    state = {**state_of(sent), "signoff:asked:1": {"signoff:put": note}}
    given: dict[str, Record] = {
        "nothing": {},
        "one missing": {block: put for block, put in state.items() if block != "signoff:asked:2"},
        "one more": {**state, "signoff:field:0": {"signoff:comment": note}},
        "named otherwise": {**state, "signoff:asked:1": {"signoff:comment": note}},
    }

    answer = await forged(told, sent, state={"values": given[broken]})

    assert "Nothing was recorded" in json.dumps(answer)
    assert await told.said(asked) == []


async def test_a_press_that_answers_nothing_is_refused_with_the_label_of_what_is_missing(
    told: Scene,
) -> None:
    asked, message = await told.posted(**ASKED, quorum=1)
    sent = (await told.slack.people.press(ANA, message, "Approve…")).sent
    [action] = records(payload_of(sent)["actions"])
    pressed = {**action, "action_id": "signoff:approve"}

    await told.slack.line.send(told.slack.forger.changed(sent, actions=[pressed]))

    assert await told.whisper(ANA) == "'When' must be answered to approve."
    assert await told.said(asked) == []


async def test_a_comment_that_is_required_is_asked_for_in_the_same_window(told: Scene) -> None:
    asked, message = await told.posted(**ASKED, comment="required")

    sent = await filled(told, ANA, message)
    assert sent.errors == {"signoff:comment": ballots.comment_required()}
    assert await told.said(asked) == []

    again = await told.slack.people.submit(ANA, {"Comment": "Checked"})
    assert again.errors == {}
    assert await told.said(asked) == [("ana", "approve", "Checked")]


async def test_somebody_else_s_window_is_no_vote(told: Scene) -> None:
    asked, message = await told.posted(**ASKED, quorum=1)
    sent = await refused(told, ANA, message)
    state = {**state_of(sent), "signoff:asked:1": _note("Rolling")}

    for user in (BO, DEE):
        who = {"id": user, "team_id": "T0DEMO"}
        answer = await forged(told, sent, user=who, state={"values": state})

        assert "Nothing was recorded" in json.dumps(answer)
    assert await told.said(asked) == []


async def test_a_window_of_what_was_edited_since_says_so(told: Scene) -> None:
    asked, message = await told.posted(**ASKED, quorum=1)
    await opened(told, ANA, message)
    await told.database.of(DEFAULT_TENANT).write(
        lambda tx: changing.edit(tx, AGENT, asked.id, Edit(title="Deploy 2.2?"))
    )

    await told.slack.people.submit(ANA, FILLED)

    assert ballots.superseded() in json.dumps((await told.slack.modal(ANA)).content)
    assert await told.said(asked) == []
    await told.slack.people.press(BO, message, "Approve…")
    await told.slack.until(lambda: _window(told, BO) == "Not possible" or None)
    assert ballots.superseded() in json.dumps((await told.slack.modal(BO)).content)


async def test_a_stranger_is_told_and_sees_no_form(told: Scene) -> None:
    asked, message = await told.posted(**ASKED)

    await told.slack.people.press(DEE, message, "Approve…")
    await told.slack.until(lambda: _window(told, DEE) == "Not possible" or None)

    assert "not linked" in json.dumps((await told.slack.modal(DEE)).content)
    assert "Note" not in json.dumps((await told.slack.modal(DEE)).content)
    assert await told.said(asked) == []


async def test_words_do_not_fill_in_a_form_and_say_where_to(told: Scene) -> None:
    asked, _message = await told.posted(**ASKED)
    page = told.desk.page(asked.id)

    heard = await told.slack.people.command(
        ANA, f"/approvals approve {asked.id} Fine", channel="C0APPROVALS"
    )

    assert "asks you to fill in a form" in heard.text
    assert page in heard.text
    assert await told.said(asked) == []
    await told.slack.people.command(ANA, f"/approvals reject {asked.id} No", channel="C0APPROVALS")
    assert await told.said(asked) == [("ana", "reject", "No")]


async def test_every_kind_of_input_arrives_as_what_was_chosen(told: Scene) -> None:
    asked, message = await told.posted(**ASKED, quorum=1)

    sent = await filled(told, ANA, message, {**ALL, "Comment": "Fine"})

    now = await told.now(asked)
    effective = now.modifying.to_json()["effective"]
    assert sent.errors == {}
    assert (now.status, await told.said(asked)) == ("approved", [("ana", "approve", "Fine")])
    assert isinstance(effective, dict)
    assert effective["form"] == {
        "when": "tonight",
        "note": "Rolling",
        "why": "One\nTwo",
        "replicas": 4,
        "share": 1.5,
        "on_call": False,
        "safe": True,
        "checks": ["smoke", "load"],
        "region": "eu-10",
        "zones": ["z2"],
        "day": "2026-11-22",
    }


async def test_the_second_approver_agrees_to_exactly_these_answers(told: Scene) -> None:
    asked, message = await told.posted(**ASKED)

    await filled(told, ANA, message)
    again = await shown_again(told, asked)
    await told.slack.people.press(BO, again, "Approve so")

    over = await shown_again(told, asked)
    answers = "When: tonight\nNote: Rolling\nReplicas: 3\nOn call: yes\nSafe: yes"
    assert answers in _words(again)
    assert answers in _words(over)
    assert "Approved by Ana Diaz and Bo Larsen" in _words(over)
    assert (await told.now(asked)).status == "approved"
    assert not {"Approve…", "Approve so", "Fill in…"} & set(over.buttons)


async def test_other_answers_do_not_add_up_and_one_s_own_stand_in_the_window_again(
    told: Scene,
) -> None:
    asked, message = await told.posted(**ASKED)
    await filled(told, ANA, message, ALL)
    await filled(told, BO, message)
    assert [outcome.have for outcome in (await told.now(asked)).modifying.outcomes] == [1, 1]

    await opened(told, ANA, message)
    await told.slack.people.submit(ANA)  # whatever stands there, untouched

    assert "You had already voted so" in _words_of_window(told, ANA)
    assert len((await told.now(asked)).modifying.outcomes) == 2


async def test_what_somebody_answered_stays_with_their_vote_when_others_reject(told: Scene) -> None:
    asked, message = await told.posted(**ASKED)
    await filled(told, ANA, message)

    await told.slack.people.command(BO, f"/approvals reject {asked.id} No", channel="C0APPROVALS")

    over = _words(await shown_again(told, asked))
    assert (
        "Ana Diaz approved with “When: tonight; Note: Rolling; Replicas: 3; On call: yes; Safe: yes; zones: none”"
        in over
    )
    assert "would approve with" not in over


async def test_where_all_has_a_default_one_press_is_enough(told: Scene) -> None:
    asked, message = await told.posted(**EASY)

    await told.slack.people.press(ANA, message, "Approve")
    await opened(told, BO, message, "Fill in…")
    await told.slack.people.submit(BO, {"Replicas": "4"})
    await told.slack.people.press(CHEN, message, "Approve")

    now = await told.now(asked)
    assert now.status == "approved"
    assert "Replicas: 3" in _words(await shown_again(told, asked))


def _note(words: str) -> Record:
    return {"signoff:put": {"type": "plain_text_input", "value": words}}


def _window(told: Scene, user: str) -> str:
    view = told.slack.space.views.top(user)
    return view.title if view else ""


def _words_of_window(told: Scene, user: str) -> str:
    view = told.slack.space.views.top(user)
    return json.dumps(view.content) if view else ""


def _words(message: Message) -> str:
    found = [text(block, "text", "text") for block in message.blocks]
    return "\n".join(found)
