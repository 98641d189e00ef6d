"""The small model: every state that can be reached is visited, and from each of them there is an end."""

import pytest

from bot.chaos.model.exploring import explore, stuck
from bot.chaos.model.states import EDITED, ENDED, Bounds
from bot.chaos.simulation.laws import without

pytestmark = pytest.mark.slow

TINY = Bounds(reviewers=1, quorum=1, crashes=1, edits=0, ends=0)
# Where each law is missed soonest.
MISSED = {
    "counts_this_version": EDITED,
    "keeps_deadlines": TINY,
    "proves_leases": TINY,
    "remembers_steps": TINY,
    "doubts_what_was_lost": TINY,
    "wakes_who_waits": TINY,
    "asks_the_switch": Bounds(reviewers=1, quorum=1, crashes=0, edits=0, ends=0, switches=1),
    "stops_asking_at_the_end": ENDED,
    "undoes_what_has_no_end": Bounds(reviewers=1, quorum=1, crashes=1, edits=0, ends=1),
}


@pytest.mark.parametrize(
    ("bounds", "endings"),
    [
        pytest.param(ENDED, {"completed", "killed", "rolled_back"}, id="kills, votes, deadlines"),
        pytest.param(EDITED, {"completed", "rolled_back"}, id="edits, crashes, deadlines"),
    ],
)
def test_every_state_that_can_be_reached_is_sound(bounds: Bounds, endings: set[str]) -> None:
    found = explore(bounds)

    assert (found.broken, found.way) == (None, [])
    assert found.is_whole
    assert found.states > 20_000
    assert set(found.endings) == endings


def test_an_end_can_be_reached_from_everywhere() -> None:
    assert stuck(TINY) == 0


@pytest.mark.parametrize("law", MISSED)
def test_without_a_law_a_short_way_leads_to_what_must_not_be(law: str) -> None:
    found = explore(MISSED[law], without(law))

    assert found.broken is not None
    assert 0 < len(found.way) <= found.depth
