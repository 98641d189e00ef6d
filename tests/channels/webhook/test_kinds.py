"""Forms and budgets over the webhook: what is asked is sent, and only what was asked for is taken as an answer."""

import json
from typing import Any

import pytest

from channels.webhook.inbound import answer
from channels.webhook.signature import signed
from engine.errors import Invalid
from engine.services.votes import CastReceipt
from engine.store.pictures import ApprovalPicture
from tests.channels.office import BO, Office
from tests.channels.webhook.conftest import NEW

pytestmark = pytest.mark.anyio

FORM = {
    "required": ["when"],
    "properties": {
        "when": {"type": "string", "title": "When", "enum": ["tonight", "tomorrow"]},
        "replicas": {"type": "integer", "maximum": 9, "default": 3},
    },
}
LARGE = {
    "properties": {
        f"field_{n}": {"type": "string", "enum": [f"{m} {'x' * 60}" for m in range(100)]}
        for n in range(4)
    }
}
TONIGHT = {"when": "tonight"}


async def asked(there: Office, kind: str = "form", **said: Any) -> ApprovalPicture:
    """A form, or a budget of 620.00 USD."""
    terms = {"form": FORM} if kind == "form" else {}
    return await there.ask(kind=kind, **{**terms, **said})


async def heard(there: Office, approval: ApprovalPicture, **said: Any) -> CastReceipt:
    """What becomes of a signed callback that says so."""
    body = json.dumps({"choice": "approve", "digest": approval.digest, **said}).encode()
    headers = signed(body, id="msg_1", at=there.clock.now(), secrets=[NEW])
    return await answer(body, headers, approval=approval.id, database=there.database,
                        targets=[there.erp], clock=there.clock)  # fmt: skip


async def sent(there: Office) -> list[dict[str, Any]]:
    """The events that were delivered, oldest first."""
    await there.dispatcher().drain()
    return [dict(event.data) for event in there.hooks.received()]


@pytest.mark.parametrize(
    ("said", "code", "named"),
    [
        pytest.param({}, "invalid_form", "'When' must be answered", id="nothing"),
        pytest.param({"form": {"when": "later"}}, "invalid_form", "one of tonight", id="no option"),
        pytest.param(
            {"form": {**TONIGHT, "replicas": 10}}, "invalid_form", "at most 9", id="too many"
        ),
        pytest.param({"form": {**TONIGHT, "at": 1}}, "invalid_form", "not asked", id="not asked"),
        pytest.param({"changes": TONIGHT}, "invalid_form", "go under form", id="changes"),
        pytest.param({"form": "tonight"}, "bad_callback", "form", id="a text"),
        pytest.param(
            {"form": TONIGHT, "choice": "reject"}, "invalid_changes", "Only an approval", id="no"
        ),
    ],
)
async def test_a_form_that_is_not_filled_in_as_asked_is_no_vote(
    post_office: Office, said: dict[str, Any], code: str, named: str
) -> None:
    approval = await asked(post_office)

    with pytest.raises(Invalid, match=named) as refused:
        await heard(post_office, approval, **said)

    assert refused.value.code == code
    assert (await post_office.now(approval.id)).votes == ()


@pytest.mark.parametrize("amount", ["620.01", "0", "600.00 EUR", 600])
async def test_of_a_budget_nobody_grants_more_or_something_else(
    post_office: Office, amount: object
) -> None:
    approval = await asked(post_office, "budget")

    with pytest.raises(Invalid) as refused:
        await heard(post_office, approval, changes={"amount": amount})

    assert refused.value.code == "invalid_changes"


async def test_what_is_asked_is_sent_and_the_answer_counts(post_office: Office) -> None:
    approval = await asked(post_office, quorum=1)
    opened = (await sent(post_office))[0]

    receipt = await heard(post_office, approval, form=TONIGHT)

    decided = (await sent(post_office))[-1]["approval"]
    assert opened["actions"]["token"]
    assert (opened["approval"]["kind"], opened["approval"]["form"]) == ("form", FORM)
    assert receipt.counted
    answers = {"when": "tonight", "replicas": 3}
    assert [decided["decision"]["form"], decided["effective"]["form"]] == [answers, answers]
    assert decided["votes"][0]["form"] == answers


async def test_what_somebody_filled_in_is_agreed_to_by_its_digest(post_office: Office) -> None:
    approval = await asked(post_office)
    await heard(post_office, approval, form=TONIGHT)

    outcome = (await post_office.now(approval.id)).modifying.outcomes[0]
    receipt = await post_office.vote(approval.id, BO, digest=outcome.digest)

    assert receipt.status == "approved"


async def test_less_is_granted_of_a_budget(post_office: Office) -> None:
    approval = await asked(post_office, "budget", quorum=1)
    opened = (await sent(post_office))[0]["approval"]

    await heard(post_office, approval, changes={"amount": "600"})

    decided = (await sent(post_office))[-1]["approval"]
    assert (opened["kind"], opened["proposed"]) == ("budget", {"amount": "620.00 USD"})
    assert decided["effective"]["details"]["amount"] == "600.00 USD"


async def test_a_form_that_is_too_large_is_left_out_and_offers_no_answer(
    post_office: Office,
) -> None:
    await asked(post_office, form=LARGE)

    opened = (await sent(post_office))[0]

    assert "form" in opened["left_out"]
    assert "form" not in opened["approval"]
    assert "actions" not in opened
