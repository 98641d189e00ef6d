"""Cards to show in tests: one that is ordinary, and ways to make it less so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from channels.base import Card, Ending, Fact, ProgressLine, VoteLine
from engine.ids import ApprovalId
from tests.clock import NOON

APPROVAL = ApprovalId("apr_0192f00000007000800000000000abcd")
DIGEST = "sha256:" + "ab" * 32
PAGE = "https://bot.example.com/approvals/" + APPROVAL

ORDINARY = Card(
    approval=APPROVAL,
    version=1,
    digest=DIGEST,
    status="open",
    risk="medium",
    action="refund",
    title="Refund order 17?",
    requester="Dee Okafor",
    requester_is_verified=True,
    facts=(
        Fact(label="order", value="17", is_material=True),
        Fact(label="amount", value="620.00 USD", is_material=True),
    ),
    left_out=(),
    can_vote_here=True,
    progress=(ProgressLine(label="", have=0, need=2),),
    votes=(),
    undoes=("Take back the charge",),
    report=(),
    note=None,
    opened_at=NOON,
    expires_at=NOON + timedelta(hours=4),
    then="rejected",
    ending=None,
    page_url=PAGE,
    person=None,
    person_name=None,
    respond_url=None,
    event="approval.opened",
    event_at=NOON,
)
ANA_SAID = VoteLine(name="Ana Diaz", choice="approve", comment="Fine", channel="slack", at=NOON)
APPROVED = Ending(status="approved", headline="Approved by Ana Diaz and Bo Larsen", at=NOON)


def card(**changes: Any) -> Card:
    """The ordinary card, with `changes`."""
    return replace(ORDINARY, **changes)


def ended(**changes: Any) -> Card:
    """The same approval after people decided."""
    over = {"status": "approved", "ending": APPROVED, "votes": (ANA_SAID,)}
    return card(**{**over, "event": "approval.decided", **changes})
