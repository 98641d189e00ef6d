"""`/approvals` answers only who typed it, about what is theirs, and votes like a button."""

import json

import pytest

from bot.demo.slack.line import Heard
from channels.slack.commands import LISTED, Words, parse
from tests.channels.slack.scene import ANA, BO, DEE, ROOM, Scene

pytestmark = pytest.mark.anyio

ID = "apr_0192f00000007000800000000000abcd"


async def typed(told: Scene, user: str, words: str) -> Heard:
    return await told.slack.people.command(user, f"/approvals {words}".strip(), channel=ROOM)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", Words(verb="mine")),
        ("  mine ", Words(verb="mine")),
        ("help", Words(verb="help")),
        ("mine all", Words(verb="help")),
        ("approve", Words(verb="help")),
        ("approve everything", Words(verb="help")),
        ("APPROVE " + ID, Words(verb="help")),
        ("approve apr_x' OR 1=1", Words(verb="help")),
        (f"approve {ID}", Words(verb="approve", approval=ID)),
        (f"reject {ID} a &lt;b&gt; &amp;amp; c", Words(verb="reject", approval=ID, comment="a <b> &amp; c")),
        (f"show {ID}", Words(verb="show", approval=ID)),
        ("delete " + ID, Words(verb="help")),
    ],
)  # fmt: skip
async def test_words_mean_one_thing_or_ask_for_help(text: str, asked: Words) -> None:
    assert parse(text) == asked


@pytest.mark.parametrize("words", ["", "show {id}", "approve {id}", "reject {id} no"])
async def test_a_stranger_reads_nothing_and_votes_nothing(told: Scene, words: str) -> None:
    asked = await told.ask()

    heard = await typed(told, DEE, words.format(id=asked.id))

    assert heard.status == 200
    assert "T0DEMO/U0DEE" in heard.text
    assert "620.00" not in heard.text
    assert await told.said(asked) == []


async def test_what_is_nobodys_business_does_not_exist(told: Scene) -> None:
    asked = await told.ask(approvers="person:bo", quorum=1)

    hidden = await typed(told, ANA, f"show {asked.id}")
    missing = await typed(told, ANA, "show apr_none")

    assert hidden.text.replace(asked.id, "apr_none") == missing.text
    assert "There is no approval" in missing.text


async def test_an_unknown_approval_cannot_be_approved(told: Scene) -> None:
    heard = await typed(told, ANA, "approve apr_none")

    assert heard.status == 200
    assert heard.json["response_type"] == "ephemeral"
    assert "recorded" not in heard.text.lower()


async def test_everything_is_seen_by_one_person_only(told: Scene) -> None:
    asked = await told.ask()

    for words in ("", "help", "what?", f"show {asked.id}", f"approve {asked.id}"):
        heard = await typed(told, ANA, words)
        assert heard.json["response_type"] == "ephemeral"

    assert told.slack.messages(ROOM) == []
    assert len(told.slack.whispers(ANA)) == 5


async def test_mine_lists_what_waits_with_the_nearest_deadline_first(told: Scene) -> None:
    await told.ask(title="Later", ladder=["reject after 2d"])
    await told.ask(title="Sooner <!here>", ladder=["reject after 1h"])
    await told.ask(title="Not mine", approvers="person:bo", quorum=1)

    await typed(told, ANA, "")

    [answer] = told.slack.whispers(ANA)
    assert answer.text == "2 waiting for you"
    assert answer.words.index("Sooner") < answer.words.index("Later")
    assert "Not mine" not in answer.words
    assert answer.buttons == ["Open", "Open"]


async def test_mine_is_ten_and_a_way_to_the_rest(told: Scene) -> None:
    for n in range(LISTED + 2):
        await told.ask(title=f"Refund order {n}?")

    await typed(told, ANA, "mine")

    [answer] = told.slack.whispers(ANA)
    assert answer.buttons == ["Open"] * LISTED + ["Open all of them"]


async def test_nothing_waiting_says_so(told: Scene) -> None:
    await typed(told, ANA, "")

    assert told.slack.whispers(ANA)[0].text == "Nothing waiting for you"


async def test_show_is_to_read(told: Scene) -> None:
    asked = await told.ask()

    await typed(told, ANA, f"show {asked.id}")

    [answer] = told.slack.whispers(ANA)
    assert "620.00 USD" in answer.words
    assert answer.buttons == ["Open to decide"]


async def test_a_vote_by_command_is_a_vote(told: Scene) -> None:
    asked = await told.ask()

    approved = await typed(told, ANA, f"approve {asked.id} looks <right> & good")
    rejected = await typed(told, BO, f"reject {asked.id}")

    assert "Recorded. 1 of 2 approvals." in approved.text
    assert "Recorded" in rejected.text
    assert await told.said(asked) == [
        ("ana", "approve", "looks <right> & good"),
        ("bo", "reject", None),
    ]


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_what_slack_cannot_show_whole_is_not_decided_by_words(told: Scene, verb: str) -> None:
    asked = await told.ask(details={"payload": "x" * 5_000})

    heard = await typed(told, ANA, f"{verb} {asked.id}")

    assert f"https://bot.example.com/approvals/{asked.id}" in heard.text
    assert await told.said(asked) == []


async def test_a_comment_that_is_too_long_is_refused_in_words(told: Scene) -> None:
    asked = await told.ask()

    heard = await typed(told, ANA, f"approve {asked.id} {'x' * 2_001}")

    assert (heard.status, "2000" in heard.text) == (200, True)
    assert await told.said(asked) == []


async def test_a_missing_comment_is_asked_for(told: Scene) -> None:
    asked = await told.ask(comment="required")

    heard = await typed(told, ANA, f"approve {asked.id}")

    assert "wants a comment" in heard.text
    assert await told.said(asked) == []


@pytest.mark.parametrize("words", ["", "show {id}", "approve {id}"])
async def test_the_same_command_again_says_and_does_nothing(told: Scene, words: str) -> None:
    asked = await told.ask()
    first = await typed(told, ANA, words.format(id=asked.id))
    votes = await told.said(asked)

    again = await told.slack.line.send(first.sent)

    assert (again.status, again.body) == (200, b"")
    assert await told.said(asked) == votes


async def test_another_command_of_the_app_is_not_ours(told: Scene) -> None:
    heard = await typed(told, ANA, "")
    body = heard.sent.body.replace(b"%2Fapprovals", b"%2Fother")

    other = await told.slack.line.send(told.signed(body))

    assert other.status == 200
    assert "Nothing was recorded" in json.dumps(other.json)
