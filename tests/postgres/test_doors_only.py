"""A server that only has doors takes requests and leaves the work to workers."""

import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.cli.ground import SECONDS_MAX, new_shop, served, until

pytestmark = pytest.mark.postgres

KEY = "0123456789abcdef" * 4


def test_a_file_has_nobody_else_who_could_work(tmp_path: Path) -> None:
    by_flag = new_shop(tmp_path).says("serve", "--doors-only")
    by_setting = new_shop(tmp_path, SIGNOFF_DOORS_ONLY="yes").says("serve")

    assert (by_flag.code, by_setting.code) == (2, 2)
    assert "nobody else could do the work" in by_flag.err
    assert "nobody else could do the work" in by_setting.err


def test_what_its_doors_took_a_worker_does(tmp_path: Path, url: str) -> None:
    shop = new_shop(tmp_path, SIGNOFF_DATABASE_URL=url, SIGNOFF_SECRET_KEY=KEY)
    with served(shop, "--doors-only") as server:
        key = shop.says("keys", "create", "--name", "k", "--scope", "runs:start").out.strip()
        known = {"Authorization": f"Bearer {key}"}
        started = httpx.post(
            f"{shop.url}/api/runs",
            headers=known,
            json={"workflow": "greet", "input": {"name": "Ana"}},
            trust_env=False,
        )
        assert started.status_code == 201, started.text
        assert server.stop() == 0
    run = started.json()["id"]
    before = shop.says("runs", "show", run, "--json").json

    worker = shop.begin("worker", "--workflows", "shop", "--json")
    assert worker.stdout is not None
    assert json.loads(worker.stdout.readline())["database"]
    until(lambda: shop.says("runs", "show", run, "--json").json["status"] == "completed")
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=SECONDS_MAX)

    assert before["status"] == "created"
    assert worker.returncode == 0
