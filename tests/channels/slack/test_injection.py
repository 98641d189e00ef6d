"""Nothing that comes from outside is ever live in a card, whatever it is and wherever it stands."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.demo.slack.blocks import Surface, block_problems, view_problems
from channels.base import Card, Fact, ProgressLine
from channels.slack.blocks import card_message
from channels.slack.modals import Intent, comment_view, details_view, message_view
from channels.slack.reference import Reference
from channels.slack.text import cut, prose
from channels.slack.trees import rows
from engine.rules.tally import Choice
from tests.channels.slack.cards import ANA_SAID, APPROVAL, APPROVED, DIGEST, card, ended
from tests.channels.slack.corpus import HOSTILE
from tests.channels.slack.oracle import live

SINKS: dict[str, Callable[[str], Card]] = {
    "title": lambda text: card(title=text),
    "action": lambda text: card(action=text),
    "requester": lambda text: card(requester=text),
    "claimed requester": lambda text: card(requester=text, requester_is_verified=False),
    "risk": lambda text: card(risk=text),
    "label": lambda text: card(facts=(Fact(label=text, value="1"),)),
    "value": lambda text: card(facts=(Fact(label="a", value=text, is_material=True),)),
    "label left out": lambda text: card(left_out=(text, text)),
    "group": lambda text: card(progress=(ProgressLine(label=text, have=0, need=1),)),
    "voter": lambda text: card(votes=(replace(ANA_SAID, name=text),)),
    "comment": lambda text: card(votes=(replace(ANA_SAID, comment=text),)),
    "way of voting": lambda text: card(votes=(replace(ANA_SAID, channel=text, choice=text),)),
    "undo": lambda text: card(undoes=(text, text)),
    "report": lambda text: ended(report=(text,)),
    "note": lambda text: card(note=text),
    "then": lambda text: card(then=text),
    "ending": lambda text: ended(ending=replace(APPROVED, headline=text)),
    "high risk": lambda text: card(title=text, action=text, risk="high"),
}


def test_the_corpus_is_large_enough() -> None:
    assert len(set(HOSTILE)) >= 100
    assert len(set(HOSTILE)) * len(SINKS) >= 2_000


@pytest.mark.parametrize("sink", SINKS)
def test_nothing_is_live_in_a_card(sink: str) -> None:
    for text in HOSTILE:
        rendering = card_message(SINKS[sink](text))

        assert live(rendering.blocks, rendering.text) == []
        assert block_problems(list(rendering.blocks), Surface.MESSAGE) == []
        assert 0 < len(rendering.text) <= 4_000


@pytest.mark.parametrize("sink", SINKS)
def test_nothing_is_live_in_a_modal(sink: str) -> None:
    reference = Reference(approval=APPROVAL, version=1, digest=DIGEST)
    intent = Intent(choice=Choice.REJECT, reference=reference)
    for text in HOSTILE:
        hostile = SINKS[sink](text)

        for view in (details_view(hostile), comment_view(intent, card=hostile)):
            assert live(rows(view, "blocks"), "x") == []
            assert view_problems(view, Surface.MODAL) == []


def test_nothing_is_live_in_an_answer_or_a_reply() -> None:
    for text in HOSTILE:
        view = message_view("Recorded", text)
        reply = cut(prose("told", card=card(note=text, event="approval.reminded")), 3_000)

        assert live(rows(view, "blocks"), reply) == []
        assert view_problems(view, Surface.MODAL) == []


def test_the_oracle_sees_what_is_live() -> None:
    for text in ("<!here>", "<@U0ANA>", "<https://evil.example|x>", "a & b", "<#C1|x>", "a<b"):
        assert live([{"type": "mrkdwn", "text": text, "verbatim": True}], "x") != []
        assert live([], text) != []
    assert live([{"type": "mrkdwn", "text": "x"}], "x") != []
    assert live([{"type": "plain_text", "text": "x"}], "x") != []
    assert live([{"type": "button", "url": "https://evil.example"}], "x") != []
    assert live([{"type": "plain_text", "text": "a\u202eb", "emoji": False}], "x") != []
