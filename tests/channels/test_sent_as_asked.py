"""What is asked is told to other systems byte by byte, also where it looks like something of ours."""

import pytest

from engine.ids import DEFAULT_TENANT
from engine.rules.tally import Choice
from engine.services import votes
from engine.services.votes import Ballot
from tests.channels.office import ANA, Office

pytestmark = pytest.mark.anyio

ERP = {"webhook": ["erp"]}
LOOKS_LIKE_OURS = {
    "iban": "sealed:1:sbj_nobodys:votes.vot_1.comment:DE89370400440532013000",
    "reference": "paid by named:1:ana; on Friday",
}


async def test_text_that_looks_sealed_or_like_a_name_is_sent_as_it_was_asked(
    post_office: Office,
) -> None:
    asked = await post_office.ask(
        title="Pay named:1:bo; now?", details=LOOKS_LIKE_OURS, routes=ERP, quorum=2
    )
    ballot = Ballot(
        tenant=DEFAULT_TENANT, approval=asked.id, person=ANA, choice=Choice.APPROVE, channel="web",
        identified_by="session", comment="Seen, and fine.",
    )  # fmt: skip
    await votes.vote(post_office.database, ballot)

    await post_office.dispatcher().drain()

    opened, updated = [
        post_office.hooks.received(f"approval.{event}")[0] for event in ("opened", "updated")
    ]
    for event in (opened, updated):
        assert event.approval["title"] == "Pay named:1:bo; now?"
        assert event.approval["details"] == LOOKS_LIKE_OURS
    assert "Seen, and fine." in str(updated.approval["votes"])
