"""Whatever fails around a collector, each trace is sent in the end."""

from typing import Final

import pytest

from engine.failpoints import Mode
from engine.services import tracing
from tests.crossings import MODES, failing, survived
from tests.engine.stage import Stage
from tests.tracing.collector import Keeper
from tests.tracing.test_sending import SETTLED, sender

pytestmark = pytest.mark.anyio

CROSSED: Final = ("traces",)


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_around_a_collector_loses_no_trace(
    stage: Stage, keeper: Keeper, mode: Mode
) -> None:
    lives = [sender(stage, keeper.url, name=name) for name in ("wrk_1", "wrk_2")]
    await stage.start("retrying", deed_name="one")
    await stage.clock.advance(SETTLED)

    with failing(f"traces={mode}:50ms", stage.clock) as fault:
        for life in lives:
            await survived(life.look(), stage.clock)
            await stage.clock.advance(tracing.TURN_FOR)

    assert fault.seen > 0
    assert len({span.span_id for span in keeper.spans}) == 2
