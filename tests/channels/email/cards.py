"""Cards to mail in tests: one that is ordinary, and ways to make it less so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from channels.base import Card, Ending, Fact, ProgressLine, VoteLine
from engine.ids import ApprovalId, PersonId
from tests.clock import NOON

APPROVAL = ApprovalId("apr_0192f00000007000800000000000abcd")
BASE = "https://bot.example.com"
PAGE = f"{BASE}/approvals/{APPROVAL}"
RESPOND = f"{BASE}/respond/Xk3vQ0d5gC2hT8mYw1nZr7uLpA9sEoJ4iBfVtRyHqKc"
APPROVE = f"{RESPOND}?choice=approve"
REJECT = f"{RESPOND}?choice=reject"

ORDINARY = Card(
    approval=APPROVAL,
    version=1,
    digest="sha256:" + "ab" * 32,
    status="open",
    risk="medium",
    action="refund",
    title="Refund order 17?",
    requester="Dee Okafor",
    requester_is_verified=True,
    facts=(
        Fact(label="order", value="17", is_material=True),
        Fact(label="amount", value="620.00 USD", is_material=True),
        Fact(label="reason", value="Delivered twice.\nThe second parcel came back."),
    ),
    left_out=(),
    can_vote_here=True,
    progress=(ProgressLine(label="", have=1, need=2),),
    votes=(VoteLine(name="Ana Diaz", choice="approve", comment="Fine", channel="slack", at=NOON),),
    undoes=("Take back the charge", "Reopen the order"),
    report=(),
    note=None,
    opened_at=NOON,
    expires_at=NOON + timedelta(hours=4),
    then="it is rejected",
    ending=None,
    page_url=PAGE,
    person=PersonId("bo"),
    person_name="Bo Chen",
    respond_url=RESPOND,
    event="approval.opened",
    event_at=NOON,
)
APPROVED = Ending(status="approved", headline="Approved by Ana Diaz and Bo Chen", at=NOON)


def card(**changes: Any) -> Card:
    """The ordinary card, with `changes`."""
    return replace(ORDINARY, **changes)


def ended(**changes: Any) -> Card:
    """The same approval after people decided."""
    over = {"status": "approved", "ending": APPROVED, "event": "approval.decided"}
    return card(**{**over, **changes})


def everywhere(text: str) -> Card:
    """A card that says `text` wherever somebody outside may write."""
    return card(
        action=text,
        title=text,
        requester=text,
        requester_is_verified=False,
        facts=(
            Fact(label=text, value=text, is_material=True),
            Fact(label="reason", value=f"before\n{text}\nafter"),
        ),
        left_out=(text,),
        progress=(ProgressLine(label=text, have=1, need=2),),
        votes=(VoteLine(name=text, choice=text, comment=text, channel=text, at=NOON),),
        undoes=(text,),
        report=(text,),
        note=text,
        then=text,
        person_name=text,
    )
