"""A webhook's answer: nobody but the endpoint itself, once, for what it was shown."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from channels.webhook.inbound import answer
from channels.webhook.signature import signed
from engine.errors import EngineError, Invalid, NotEligible, SignatureInvalid, Superseded
from engine.services.votes import CastReceipt
from engine.store.pictures import ApprovalPicture
from engine.tokens import Tokens
from tests.channels.office import BO, ERP, Office
from tests.channels.webhook.conftest import NEW, OLD, STRANGE, target
from tests.clock import ManualClock

pytestmark = pytest.mark.anyio


def said(asked: ApprovalPicture, **changes: Any) -> bytes:
    whole = {"choice": "approve", "comment": "Checked", "digest": asked.digest, **changes}
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()


def by_signature(
    body: bytes, clock: ManualClock, *, id: str = "msg_1", secret: str = NEW
) -> dict[str, str]:
    return signed(body, id=id, at=clock.now(), secrets=[secret])


def by_token(asked: ApprovalPicture, tokens: Tokens, *, webhook: str = "erp") -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.callback(approval=asked.id, webhook=webhook)}"}


async def hear(
    there: Office, asked: ApprovalPicture, body: bytes, headers: Mapping[str, str], **changes: Any
) -> CastReceipt:
    with_defaults = {"targets": [there.erp], "clock": there.clock, **changes}
    return await answer(body, headers, approval=asked.id, database=there.database, **with_defaults)


async def votes_of(there: Office, asked: ApprovalPicture) -> list[tuple[str, str, str]]:
    picture = await there.now(asked.id)
    return [(vote.person, str(vote.choice), vote.identified_by) for vote in picture.votes]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic " + "x" * 43},
        {"Authorization": "Bearer " + "x" * 43},
        {"Authorization": "Bearer é" + "x" * 43},
        {"webhook-id": "msg_1"},
        {"webhook-signature": "v1,AAAA"},
    ],
    ids=str,
)
async def test_nobody_votes_without_proof(headers: dict[str, str], post_office: Office) -> None:
    asked = await post_office.ask()

    with pytest.raises(SignatureInvalid):
        await hear(post_office, asked, said(asked), headers)

    assert await votes_of(post_office, asked) == []


async def test_a_token_of_another_approval_or_another_webhook_is_no_proof(
    post_office: Office, tokens: Tokens
) -> None:
    asked, other = await post_office.ask(), await post_office.ask()

    for headers in (by_token(other, tokens), by_token(asked, tokens, webhook="crm")):
        with pytest.raises(SignatureInvalid):
            await hear(post_office, asked, said(asked), headers)

    assert await votes_of(post_office, asked) == []


async def test_a_wrong_signature_is_not_saved_by_a_right_token(
    post_office: Office, tokens: Tokens, clock: ManualClock
) -> None:
    asked = await post_office.ask()
    forged = by_signature(said(asked), clock, secret=STRANGE)

    with pytest.raises(SignatureInvalid):
        await hear(post_office, asked, said(asked), {**by_token(asked, tokens), **forged})


async def test_an_endpoint_that_is_only_told_cannot_answer(
    post_office: Office, tokens: Tokens, clock: ManualClock
) -> None:
    asked = await post_office.ask()
    deaf = [target(post_office.hooks.url, person=None)]

    for headers in (by_token(asked, tokens), by_signature(said(asked), clock)):
        with pytest.raises(SignatureInvalid):
            await hear(post_office, asked, said(asked), headers, targets=deaf)


SPOILED: dict[str, Callable[[ApprovalPicture], bytes]] = {
    "nothing": lambda asked: b"",
    "a list": lambda asked: b"[]",
    "a word": lambda asked: b'"approve"',
    "no text": lambda asked: b"\xff",
    "cut off": lambda asked: said(asked)[:-1],
    "two choices": lambda asked: said(asked)[:-1] + b',"choice":"reject"}',
    "another spelling": lambda asked: said(asked, choice="Approve"),
    "no choice": lambda asked: said(asked, choice=None),
    "a list of choices": lambda asked: said(asked, choice=["approve"]),
    "no digest": lambda asked: said(asked, digest=None),
    "half a digest": lambda asked: said(asked, digest="sha256:"),
    "a number as comment": lambda asked: said(asked, comment=7),
    "a long comment": lambda asked: said(asked, comment="x" * 10_001),
    "somebody else's name": lambda asked: said(asked, person="ana"),
    "too many bytes": lambda asked: said(asked) + b" " * 70_000,
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
async def test_a_body_that_says_anything_else_is_invalid_and_may_be_sent_again(
    spoil: Callable[[ApprovalPicture], bytes], post_office: Office, clock: ManualClock
) -> None:
    asked = await post_office.ask()
    body = spoil(asked)

    with pytest.raises(Invalid):
        await hear(post_office, asked, body, by_signature(body, clock))
    receipt = await hear(post_office, asked, said(asked), by_signature(said(asked), clock))

    assert receipt.counted


async def test_what_was_shown_is_what_is_approved(post_office: Office, clock: ManualClock) -> None:
    asked, other = await post_office.ask(), await post_office.ask(title="Refund order 18?")
    body = said(other)

    with pytest.raises(Superseded):
        await hear(post_office, asked, body, by_signature(body, clock))

    assert await votes_of(post_office, asked) == []


async def test_a_webhook_whose_person_is_not_asked_is_refused(
    post_office: Office, clock: ManualClock
) -> None:
    asked = await post_office.ask(approvers="person:ana", quorum=1)
    body = said(asked)

    with pytest.raises(NotEligible):
        await hear(post_office, asked, body, by_signature(body, clock))


@pytest.mark.parametrize("secret", [NEW, OLD])
async def test_a_signature_by_either_secret_counts_as_the_persons_vote(
    secret: str, post_office: Office, clock: ManualClock
) -> None:
    asked = await post_office.ask()
    body = said(asked)

    receipt = await hear(post_office, asked, body, by_signature(body, clock, secret=secret))

    assert (receipt.recorded, receipt.counted, receipt.status) == (True, True, "open")
    assert await votes_of(post_office, asked) == [(ERP, "approve", "signature")]


async def test_the_token_of_the_message_counts_as_the_persons_vote(
    post_office: Office, tokens: Tokens
) -> None:
    asked = await post_office.ask()
    await post_office.vote(asked.id, BO)

    receipt = await hear(post_office, asked, said(asked), by_token(asked, tokens))

    assert receipt.status == "approved"
    assert (ERP, "approve", "token") in await votes_of(post_office, asked)


async def test_a_replayed_answer_changes_nothing_even_after_a_change_of_mind(
    post_office: Office, clock: ManualClock
) -> None:
    asked = await post_office.ask(reject_quorum=2)
    first, second = said(asked), said(asked, choice="reject")
    headers = by_signature(first, clock, id="msg_1")
    await hear(post_office, asked, first, headers)
    await hear(post_office, asked, second, by_signature(second, clock, id="msg_2"))

    replayed = await hear(post_office, asked, first, headers)

    assert (replayed.recorded, replayed.counted) == (False, False)
    current = [vote for vote in (await post_office.now(asked.id)).votes if vote.is_current]
    assert [str(vote.choice) for vote in current] == ["reject"]


async def test_an_old_signature_is_refused_before_its_id_is_forgotten(
    post_office: Office, clock: ManualClock
) -> None:
    asked = await post_office.ask(ladder=["reject after 60d"])
    headers = by_signature(said(asked), clock)
    await clock.advance(timedelta(days=31))

    with pytest.raises(SignatureInvalid):
        await hear(post_office, asked, said(asked), headers)


async def test_every_refusal_is_an_error_people_can_be_shown(
    post_office: Office, clock: ManualClock
) -> None:
    asked = await post_office.ask()
    body = said(asked, digest="sha256:" + "0" * 64)

    with pytest.raises(EngineError) as refusal:
        await hear(post_office, asked, body, by_signature(body, clock))

    assert str(refusal.value).startswith("Not counted")


async def test_a_callback_may_change_what_is_marked_and_nothing_else(
    post_office: Office, clock: ManualClock
) -> None:
    asked = await post_office.ask(kind="modify", fields=["amount"], quorum=1)
    wrong = said(asked, changes={"order": "18"})
    right = said(asked, changes={"amount": "20"})

    with pytest.raises(Invalid) as refused:
        await hear(post_office, asked, wrong, by_signature(wrong, clock))
    receipt = await hear(post_office, asked, right, by_signature(right, clock, id="msg_2"))

    decided = (await post_office.now(asked.id)).modifying.decided
    assert refused.value.code == "invalid_changes"
    assert receipt.status == "approved"
    assert decided == {"amount": "20.00 USD"}
