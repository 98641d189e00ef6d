"""Cases and their signals are on disk: whoever opens the file again goes on where it was."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.ids import DEFAULT_TENANT, SystemIds
from engine.runtime import reconciling
from engine.services import cases
from engine.services.cases import Wanted
from engine.services.signals import Said
from engine.store.sqlite import opened
from engine.tokens import Tokens
from tests.clock import ManualClock
from tests.engine.sources import AGENT

pytestmark = pytest.mark.anyio


async def test_a_case_goes_on_after_a_restart(
    migrated_file: Path, tmp_path: Path, clock: ManualClock, tokens: Tokens
) -> None:
    file = tmp_path / "signoff.db"
    shutil.copyfile(migrated_file, file)
    around: dict[str, Any] = {"clock": clock, "ids": SystemIds(), "tokens": tokens}
    wanted = Wanted(title="Did it arrive?", collected=True)

    async with opened(file, **around) as database:
        made = await database.write(lambda tx: cases.begin(tx, AGENT, wanted))
        case = str(made["id"])
        first = Said(source="carrier", outcome="yes", id="event-1")
        await database.write(lambda tx: reconciling.report(tx, AGENT, case, first))
    async with opened(file, **around) as database:
        again = await database.write(lambda tx: reconciling.report(tx, AGENT, case, first))
        second = Said(source="customer", outcome="yes")
        await database.write(lambda tx: reconciling.report(tx, AGENT, case, second))
    async with opened(file, **around) as database:
        seen: Any = await database.read(lambda tx: cases.show(tx, DEFAULT_TENANT, case))

    assert (made["status"], again["reason"]) == ("open", "repeated")
    assert (seen["status"], seen["outcome"]) == ("final", "yes")
    assert [each["source"] for each in seen["signals"]] == ["carrier", "customer"]
