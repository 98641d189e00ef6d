"""Everything that the description allows, and much that it does not, is answered as described."""

import asyncio
import dataclasses
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from bot.demo.serving import served
from bot.web.rates import Buckets
from tests.api.desk import ASKED, DANA, Desk, Known
from tests.clock import ManualClock

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

LEFT_OUT = (
    "positive_data_acceptance",  # whether a group is known is not in the description
    "ensure_resource_availability",  # the ids are given, not made up
    "use_after_free",  # what was cancelled or revoked can still be read
    "object_level_authorization",  # operators may see everything
)


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """All that the fuzzer is told: what it works out of Unicode it keeps, and nobody stands between.

    It looks through its whole environment for proxies, twice for every request.
    """
    kept = tmp_path_factory.mktemp("hypothesis")
    return {
        "HYPOTHESIS_STORAGE_DIRECTORY": str(kept),
        "LANG": "C.UTF-8",
        "NO_PROXY": "*",
        "PATH": os.defpath,
    }


@pytest.mark.parametrize("kind", ["key", "person"])
async def test_nothing_breaks_and_nothing_is_undescribed(
    app: FastAPI,
    desk: Desk,
    clock: ManualClock,
    tmp_path: Path,
    surroundings: Mapping[str, str],
    kind: str,
) -> None:
    patient = Buckets(clock, tries=10**9, per=timedelta(minutes=1))
    app.state.shared = dataclasses.replace(app.state.shared, bad_tries=patient, asked_links=patient)
    known = await desk.key() if kind == "key" else await desk.person(DANA)
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(await configured(known))

    async with served(app) as url:
        status, said = await fuzzed(url, known.token, settings, surroundings)

    assert status == 0, said


async def configured(known: Known) -> str:
    """Ids that exist, for half of what is tried."""
    asked = (await known.post("/api/approvals", ASKED)).json()
    ids = {"approvals": asked["id"], "runs": asked["run"], "keys": "key_0"}
    return "\n".join(
        f'[[operations]]\ninclude-path-regex = "^/api/{kind}/\\\\{{id\\\\}}"\n'
        f'parameters = {{ "path.id" = "{id}", "query.wait" = 0 }}\n'
        for kind, id in ids.items()
    )


async def fuzzed(
    url: str, token: str, settings: Path, surroundings: Mapping[str, str]
) -> tuple[int, str]:
    """How it went, and what was found."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file",
        str(settings),
        "run",
        f"{url}/openapi.json",
        "--header",
        f"Authorization: Bearer {token}",
        "--exclude-path",
        "/api/events",  # its answers do not end; tests/api/test_events.py
        "--checks",
        "all",
        "--exclude-checks",
        ",".join(LEFT_OUT),
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        "8",
        "--seed",
        "17",
        "--no-shrink",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=settings.parent,
        env=surroundings,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")
