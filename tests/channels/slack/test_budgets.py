"""Budgets in Slack: the amount in large letters, one press for all of it, a window for less."""

import json

import pytest

from bot.demo.slack.messages import Message
from bot.demo.trees import Record, text
from tests.channels.slack.forms import forged, inputs, opened, shown_again
from tests.channels.slack.scene import ANA, BO, Scene

pytestmark = pytest.mark.anyio

BUDGET: dict[str, object] = {
    "kind": "budget",
    "action": "spend",
    "title": "Spring campaign?",
    "details": {"amount": "50000.00 USD", "department": "Marketing"},
}
AMOUNT = "Amount to grant, at most 50000.00 USD"


def headers(message: Message) -> list[str]:
    return [
        text(block, "text", "text") for block in message.blocks if block.get("type") == "header"
    ]


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("50000.01", "Please enter a number of at most 50000.00."),
        ("0", "Please enter a number of at least 0.01."),
        ("", "Please complete this required field."),
        ("20.001", "'amount' has at most 2 decimal places."),
    ],
)
async def test_more_than_was_asked_and_nothing_are_told_under_the_input(
    told: Scene, amount: str, words: str
) -> None:
    asked, message = await told.posted(**BUDGET)
    await opened(told, ANA, message, "Grant less…")

    sent = await told.slack.people.submit(ANA, {AMOUNT: amount})

    assert sent.errors == {"signoff:field:0": words}
    assert await told.said(asked) == []


async def test_a_window_without_its_amount_grants_nothing(told: Scene) -> None:
    asked, message = await told.posted(**BUDGET, quorum=1)
    await opened(told, ANA, message, "Grant less…")
    sent = await told.slack.people.submit(ANA, {AMOUNT: "20.001"})
    more: Record = {"signoff:comment": {"type": "number_input", "value": "50000.01"}}
    states: list[Record] = [{}, {"signoff:field:1": more}, {"signoff:field:0": more}]

    answers = [await forged(told, sent, state={"values": state}) for state in states]

    assert "Nothing was recorded" in json.dumps(answers[0])
    assert "Nothing was recorded" in json.dumps(answers[1])
    assert "Grant at most what was asked, 50000.00 USD" in json.dumps(answers[2])
    assert await told.said(asked) == []


async def test_one_press_approves_the_amount_that_it_names(told: Scene) -> None:
    asked, message = await told.posted(**BUDGET, quorum=1)

    assert headers(message) == ["Spring campaign?", "50000.00 USD asked for"]
    await told.slack.people.press(ANA, message, "Approve 50000.00 USD")

    now = await told.now(asked)
    assert (now.status, now.modifying.decided) == ("approved", {})
    assert headers(await shown_again(told, asked))[1] == "50000.00 USD granted"


async def test_less_is_granted_and_agreed_to_with_one_press(told: Scene) -> None:
    asked, message = await told.posted(**BUDGET)
    await opened(told, ANA, message, "Grant less…")
    await told.slack.people.submit(ANA, {AMOUNT: "40000"})
    again = await shown_again(told, asked)
    assert "amount: 50000.00 USD → 40000.00 USD" in json.dumps(again.blocks, ensure_ascii=False)
    await opened(told, ANA, again, "Grant less…")
    [element] = [inputs(told, ANA)[AMOUNT]["element"]]

    await told.slack.people.press(BO, again, "Approve so")

    over = await shown_again(told, asked)
    assert "40000.00" in json.dumps(element)
    assert headers(over)[1] == "40000.00 USD granted of 50000.00 USD"
    assert "Approved for 40000.00 USD by Ana Diaz and Bo Larsen" in json.dumps(over.blocks)
    assert not {"Grant less…", "Approve so", "Approve 50000.00 USD"} & set(over.buttons)


async def test_a_currency_that_stands_beside_the_amount_is_said_with_it(told: Scene) -> None:
    details = {"amount": "20.00", "currency": "EUR"}
    asked, message = await told.posted(**{**BUDGET, "details": details}, quorum=1)

    assert headers(message)[1] == "20.00 EUR asked for"
    await opened(told, ANA, message, "Grant less…")
    await told.slack.people.submit(ANA, {"Amount to grant, at most 20.00 EUR": "15"})

    over = await shown_again(told, asked)
    assert headers(over)[1] == "15.00 EUR granted of 20.00 EUR"
    assert "Approved for 15.00 EUR by Ana Diaz" in json.dumps(over.blocks)
