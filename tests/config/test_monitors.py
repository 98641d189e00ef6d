"""`[[monitors]]` in signoff.toml: every mistake with its line, and each rule as it is written."""

from datetime import timedelta

import pytest

from bot.config.reading import parse
from engine.rules.monitor import Calls, Limit, Overdue, Own, Then, Timeline


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        pytest.param('watch = "calls"', "A monitor has a name", id="no name"),
        pytest.param('name = "a"\nwatch = "moon"', "watch is one of", id="nothing to watch"),
        pytest.param('name = "a"\nwatch = "limit"', "at is a whole number", id="no figure"),
        pytest.param(
            'name = "a"\nwatch = "limit"\nat = 90\nthen = "shout"', "then is one of", id="no deed"
        ),
        pytest.param(
            'name = "a"\nwatch = "calls"\nmore_than = 5\nwithin = "soon"',
            "not a duration",
            id="no duration",
        ),
        pytest.param(
            'name = "a"\nwatch = "condition"\nwhen = "nix > 1"', "column 1", id="no condition"
        ),
        pytest.param(
            'name = "a"\nwatch = "limit"\nat = 9\nhow = 1', "not a key", id="an unknown key"
        ),
    ],
)
def test_a_monitor_that_makes_no_sense_is_told_with_its_line(lines: str, says: str) -> None:
    _configuration, problems = parse(f"[[monitors]]\n{lines}\n".encode())

    assert any(says in each.text for each in problems)


def test_monitors_are_read_as_they_are_written() -> None:
    text = b"""
[[monitors]]
name = "spike"
watch = "calls"
more_than = 50
within = "1m"
then = "pause"

[[monitors]]
name = "slow"
watch = "timeline"
expected = "10m"
steps = 12
workflow = "research"

[[monitors]]
name = "money"
watch = "limit"
at = 90

[[monitors]]
name = "late"
watch = "overdue"
after = "4h"

[[monitors]]
name = "unsure"
watch = "condition"
when = "last.result.confidence < 0.8"
then = "ask"
"""

    configuration, problems = parse(text)

    assert problems == ()
    spike, slow, money, late, unsure = configuration.monitors
    assert isinstance(spike.watch, Calls)
    assert (spike.then, slow.workflow, slow.is_about("other")) == (Then.PAUSE, "research", False)
    assert isinstance(slow.watch, Timeline)
    assert money.watch == Limit(at=90)
    assert late.watch == Overdue(after=timedelta(hours=4))
    assert (late.window, money.window) == (timedelta(hours=4), timedelta(hours=1))
    assert isinstance(unsure.watch, Own)
    assert unsure.watch.holds({"last": {"result": {"confidence": 0.5}}})
    assert not unsure.watch.holds({"last": {}})
