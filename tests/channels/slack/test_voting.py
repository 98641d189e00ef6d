"""People press, and what they are told afterwards is what the store says."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from bot.demo.slack.messages import Message
from bot.demo.slack.signing import payload_of
from bot.demo.trees import record, records, text
from channels.slack.reference import Reference
from engine.rules import ballots
from tests.channels.slack.scene import ANA, BO, CHEN, DEE, Scene

pytestmark = pytest.mark.anyio


def value_of(message: Message, option: str) -> str:
    """What choosing `option` from the card's menu sends."""
    return next(
        text(found, "value")
        for _, element in message.elements
        for found in records(element.get("options"))
        if text(found, "text", "text") == option
    )


async def test_a_stranger_never_counts_and_is_told_how_to_be_linked(told: Scene) -> None:
    asked, message = await told.posted()

    heard = await told.slack.people.press(DEE, message, "Approve")

    assert heard.status == 200
    assert "T0DEMO/U0DEE" in await told.whisper(DEE)
    assert await told.said(asked) == []
    assert len(await told.on_record("vote.refused")) == 1


async def test_a_guest_of_another_workspace_is_somebody_else(told: Scene) -> None:
    asked, message = await told.posted()
    sent = (await told.slack.people.press(DEE, message, "Approve")).sent
    guest = {"id": ANA, "team_id": "T0GUEST"}

    heard = await told.slack.line.send(told.slack.forger.changed(sent, user=guest))

    assert heard.status == 200
    assert await told.said(asked) == []


async def test_the_requester_is_refused(told: Scene) -> None:
    asked, message = await told.posted(requester="person:ana", quorum=1)

    await told.slack.people.press(ANA, message, "Approve")

    assert "Not counted" in await told.whisper(ANA)
    assert await told.said(asked) == []


@pytest.mark.parametrize("change", ["version", "digest"])
async def test_an_old_button_is_superseded(told: Scene, change: str) -> None:
    asked, message = await told.posted()
    sent = (await told.slack.people.press(DEE, message, "Approve")).sent
    [action] = records(payload_of(sent)["actions"])
    version, digest = (2, asked.digest) if change == "version" else (1, f"sha256:{'0' * 64}")
    old = Reference(approval=asked.id, version=version, digest=digest)
    changed = told.slack.forger.changed(
        sent, user={"id": ANA, "team_id": "T0DEMO"}, actions=[{**action, "value": str(old)}]
    )

    await told.slack.line.send(changed)

    found = await told.slack.until(
        lambda: [seen.text for seen in told.slack.whispers(DEE) if "edited" in seen.text] or None
    )
    assert found == [ballots.superseded()]
    assert await told.said(asked) == []


@pytest.mark.parametrize("value", ["", "x", "apr_x:1", "approve", "apr_1:0:" + "a" * 64, None])
async def test_a_button_that_is_none_of_ours_does_nothing(told: Scene, value: str | None) -> None:
    asked, message = await told.posted()
    sent = (await told.slack.people.press(ANA, message, "Open")).sent
    [action] = records(payload_of(sent)["actions"])

    for name in ("signoff:approve", "signoff:reject", "signoff:more", "signoff:gone", "other"):
        pressed = {**action, "action_id": name, "value": value}
        heard = await told.slack.line.send(told.slack.forger.changed(sent, actions=[pressed]))
        assert heard.status == 200

    assert "Nothing was recorded" in await told.whisper(ANA)
    assert await told.said(asked) == []


async def test_one_vote_is_recorded_and_the_answer_says_how_far_it_is(told: Scene) -> None:
    asked, message = await told.posted()

    heard = await told.slack.people.press(ANA, message, "Approve")

    assert (heard.status, heard.body) == (200, b"")
    assert await told.whisper(ANA) == "Recorded. 1 of 2 approvals."
    [vote] = (await told.now(asked)).votes
    assert (vote.person, vote.channel, vote.identified_by) == ("ana", "slack", "slack")
    assert vote.digest == asked.digest


async def test_two_people_decide_and_the_third_is_told_who_did(told: Scene) -> None:
    asked, message = await told.posted()

    for user in (ANA, BO, CHEN):
        await told.slack.people.press(user, message, "Approve")

    assert (await told.now(asked)).status == "approved"
    assert "already approved by Ana Diaz and Bo Larsen" in await told.whisper(CHEN)


async def test_every_card_decides_its_own_approval(told: Scene) -> None:
    cards = []
    for n in range(12):
        cards.append(await told.posted(title=f"Refund order {n}?", details={"order": str(n)}))
        await told.clock.advance(timedelta(seconds=1))

    for n in (7, 2, 11, 0, 5):
        await told.slack.people.press(ANA, cards[n][1], "Approve")

    voted = {n for n, (asked, _) in enumerate(cards) if await told.said(asked)}
    assert voted == {7, 2, 11, 0, 5}


async def test_after_the_deadline_it_is_too_late(told: Scene) -> None:
    asked, message = await told.posted(ladder=["reject after 1h"])
    await told.clock.advance(timedelta(hours=1))

    await told.slack.people.press(ANA, message, "Approve")

    assert "the time for this request ended" in await told.whisper(ANA)
    assert (await told.now(asked)).status == "open"


async def test_a_rejection_asks_for_the_comment_and_counts_only_when_sent(told: Scene) -> None:
    asked, message = await told.posted()

    await told.slack.people.press(BO, message, "Reject…")
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)
    assert await told.said(asked) == []
    sent = await told.slack.people.submit(BO, {"Comment": "Wrong amount"})

    assert sent.accepted
    assert await told.said(asked) == [("bo", "reject", "Wrong amount")]
    assert (await told.now(asked)).status == "rejected"
    modal = await told.slack.modal(BO)
    assert modal.title == "Recorded"


async def test_the_window_says_what_it_is_about_once_it_is_known(told: Scene) -> None:
    _, message = await told.posted()

    await told.slack.people.press(BO, message, "Reject…")
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)

    modal = await told.slack.modal(BO)
    assert "refund: Refund order 17?" in json.dumps(modal.content)
    [opened] = told.slack.api.calls("views.open")
    assert "Refund order 17?" not in json.dumps(opened.args)


async def test_a_required_comment_is_asked_for_in_the_same_window(told: Scene) -> None:
    asked, message = await told.posted(comment="on_reject")
    await told.slack.people.press(BO, message, "Reject…")
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)

    refused = await told.slack.people.submit(BO, {"Comment": ""})
    assert refused.errors == {"signoff:comment": ballots.comment_required()}
    assert await told.said(asked) == []

    assert (await told.slack.people.submit(BO, {"Comment": "No"})).accepted
    assert await told.said(asked) == [("bo", "reject", "No")]


async def test_approving_where_a_comment_is_required_opens_the_window(told: Scene) -> None:
    asked, message = await told.posted(comment="required")

    await told.slack.people.press(ANA, message, "Approve")
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)
    assert await told.said(asked) == []
    await told.slack.people.submit(ANA, {"Comment": "Checked"})

    assert await told.said(asked) == [("ana", "approve", "Checked")]


@pytest.mark.parametrize(
    ("option", "choice"),
    [("Approve with comment…", "approve"), ("Ask for changes…", "request_changes")],
)
async def test_further_choices_are_in_the_menu(told: Scene, option: str, choice: str) -> None:
    asked, message = await told.posted()

    await told.slack.people.press(ANA, message, "signoff:more", chosen=value_of(message, option))
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)
    await told.slack.people.submit(ANA, {"Comment": "Because"})

    assert await told.said(asked) == [("ana", choice, "Because")]


async def test_the_details_are_read_and_not_voted_on(told: Scene) -> None:
    asked, message = await told.posted()

    await told.slack.people.press(ANA, message, "signoff:more", chosen=value_of(message, "Details"))
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)

    modal = await told.slack.modal(ANA)
    assert "620.00 USD" in json.dumps(modal.content)
    assert "actions" not in {block["type"] for block in records(modal.content["blocks"])}
    assert await told.said(asked) == []


async def test_details_are_not_for_strangers(told: Scene) -> None:
    _, message = await told.posted()

    await told.slack.people.press(DEE, message, "signoff:more", chosen=value_of(message, "Details"))
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)

    modal = await told.slack.modal(DEE)
    assert "620.00 USD" not in json.dumps(modal.content)
    assert "not linked" in json.dumps(modal.content)


async def test_opening_the_page_needs_no_answer(told: Scene) -> None:
    asked, message = await told.posted()

    heard = await told.slack.people.press(ANA, message, "Open")

    assert (heard.status, heard.body) == (200, b"")
    assert await told.said(asked) == []


async def test_the_same_request_again_does_nothing(told: Scene) -> None:
    asked, message = await told.posted()
    sent = (await told.slack.people.press(ANA, message, "Approve")).sent
    await told.whisper(ANA)

    again = [await told.slack.line.send(sent) for _ in range(20)]

    assert {heard.status for heard in again} == {200}
    assert await told.said(asked) == [("ana", "approve", None)]
    assert len(told.slack.whispers(ANA)) == 1


async def test_a_window_is_not_opened_twice_by_a_repeat(told: Scene) -> None:
    _, message = await told.posted()
    sent = (await told.slack.people.press(ANA, message, "Reject…")).sent
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)

    heard = await told.slack.line.send(sent)
    await told.slack.until(lambda: told.slack.api.calls("views.open")[1:] or None)

    assert heard.status == 200
    assert told.slack.whispers(ANA) == []


async def test_a_window_that_came_too_late_says_so(told: Scene) -> None:
    _, message = await told.posted()
    sent = (await told.slack.people.press(ANA, message, "Open")).sent
    [action] = records(payload_of(sent)["actions"])
    reference = next(
        text(element, "value") for _, element in message.elements if "value" in element
    )
    press = {**action, "action_id": "signoff:reject", "value": reference}
    stale = told.slack.forger.changed(sent, actions=[press], trigger_id="1.2.gone")

    await told.slack.line.send(stale)

    assert "Press again" in await told.whisper(ANA)


async def test_without_a_response_url_the_answer_comes_another_way(told: Scene) -> None:
    _, message = await told.posted()
    sent = (await told.slack.people.press(DEE, message, "Approve")).sent
    await told.whisper(DEE)
    ana = {"id": ANA, "team_id": "T0DEMO"}

    for url in (None, "https://evil.example/hook"):
        await told.slack.line.send(told.slack.forger.changed(sent, user=ana, response_url=url))

    assert await told.whisper(ANA) == "Recorded. 1 of 2 approvals."
    assert len(told.slack.api.calls("chat.postEphemeral")) >= 1


async def test_a_window_whose_text_was_changed_cannot_choose_for_another(told: Scene) -> None:
    asked, message = await told.posted()
    await told.slack.people.press(BO, message, "Reject…")
    await told.slack.until(lambda: told.slack.api.calls("views.update") or None)
    heard = (await told.slack.people.submit(BO, {"Comment": "x"})).heard
    assert heard is not None
    payload = payload_of(heard.sent)

    for metadata in ("", "approve", "approve:x", "abstain:" + "x", "reject:apr_1:1:" + "b" * 64):
        view = {**record(payload["view"]), "private_metadata": metadata}
        body = urlencode({"payload": json.dumps({**payload, "view": view})}).encode()
        sent = told.signed(body)
        assert (await told.slack.line.send(sent)).status == 200

    assert await told.said(asked) == [("bo", "reject", "x")]
