"""`signoff serve`: who may own a file, who may reach it, how it stops, and what a kill leaves behind."""

import os
import signal
import stat
from pathlib import Path

import httpx
import pytest

from bot.owner_socket import socket_path
from tests.cli.ground import (
    SECONDS_MAX,
    Shop,
    free_port,
    new_shop,
    open_link,
    served,
    sign_in,
    until,
)


@pytest.mark.slow
def test_others_may_not_reach_it_without_tls(tmp_path: Path) -> None:
    said = new_shop(tmp_path).says("serve", "--host", "0.0.0.0")

    assert (said.code, said.out) == (2, "")
    assert "https" in said.err


@pytest.mark.slow
def test_a_workflow_module_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    said = new_shop(tmp_path).says("serve", "--workflows", "shp")

    assert (said.code, said.out) == (2, "")
    assert "There is no module shp" in said.err


@pytest.mark.slow
def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with served(new_shop(tmp_path / "first")) as server:
        other = new_shop(tmp_path / "second")

        said = other.says("serve", "--port", str(server.shop.port))

    assert (said.code, said.out) == (1, "")
    assert f"port {server.shop.port}" in said.err
    assert "[port_taken]" in said.err


def test_a_second_server_on_one_file_says_who_owns_it(tmp_path: Path) -> None:
    with served(new_shop(tmp_path)) as server:
        said = server.shop.says("serve", "--port", str(free_port()))

        assert (said.code, said.out) == (1, "")
        assert f"Process {server.process.pid} already owns" in said.err
        assert "[file_owned]" in said.err
        assert server.shop.says("runs", "list").code == 0


def test_only_its_own_user_may_speak_to_the_socket(tmp_path: Path) -> None:
    with served(new_shop(tmp_path)) as server:
        path = socket_path(server.shop.database)

        assert stat.S_ISSOCK(path.stat().st_mode)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent == tmp_path
        assert server.stop() == 0
        assert not path.exists()


@pytest.mark.slow
def test_a_path_too_long_for_a_socket_is_served_all_the_same(tmp_path: Path) -> None:
    with served(new_shop(tmp_path / ("deep" * 30))) as server:
        path = socket_path(server.shop.database)

        assert path.parent != server.shop.folder
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert server.shop.says("runs", "list").code == 0
        assert server.stop() == 0
        assert not path.exists()


@pytest.mark.slow
def test_the_first_operator_is_given_a_link_that_works_once(tmp_path: Path) -> None:
    with served(new_shop(tmp_path)) as server:
        assert server.sign_in is not None
        link = server.sign_in.removeprefix(server.shop.url)

        open_link(server, link)

        assert httpx.get(server.shop.url + link, trust_env=False).status_code == 404
        assert server.stop() == 0
    with served(server.shop) as again:
        assert again.sign_in is None


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_it_stops_when_told_and_the_file_is_free(tmp_path: Path, number: signal.Signals) -> None:
    with served(new_shop(tmp_path)) as server:
        server.process.send_signal(number)

        assert server.process.wait(SECONDS_MAX) == 0
        assert "server.stopped" in server.log
        assert "Traceback" not in server.log
        assert not server.shop.database.with_name("signoff.db-wal").exists()
        assert server.shop.says("runs", "list").code == 0


@pytest.mark.slow
def test_the_log_holds_no_link_and_no_key(tmp_path: Path) -> None:
    with served(new_shop(tmp_path)) as server:
        assert server.sign_in is not None
        token = server.sign_in.rpartition("/")[2]
        key = server.shop.says("keys", "create", "--name", "k", "--scope", "read").out.strip()
        httpx.get(server.sign_in, trust_env=False)
        bearer = {"Authorization": f"Bearer {key}"}
        httpx.get(f"{server.shop.url}/api/runs", headers=bearer, trust_env=False)

        assert "http.answered" in server.log
        assert token not in server.log
        assert key not in server.log


def waiting(shop: Shop, order: str) -> str:
    """The id of an approval that waits."""
    run = shop.says("run", "pay", "-i", f"order={order}").out.strip()
    until(lambda: shop.says("runs", "show", run, "--json").json["waiting_for"])
    return str(shop.says("runs", "show", run, "--json").json["waiting_for"]["approval"])


@pytest.mark.slow
def test_a_kill_loses_neither_of_two_approvals_that_wait(tmp_path: Path) -> None:
    shop = new_shop(tmp_path / "shop")
    with served(shop) as server:
        approvals = {waiting(shop, "17"), waiting(shop, "18")}
        server.kill()

    with served(shop) as server:
        home = tmp_path / "home"
        home.mkdir()
        listed = shop.says("approvals", "list", "--json").json["approvals"]
        assert {each["id"] for each in listed} == approvals

        assert sign_in(server, "ana@example.com", home).code == 0
        votes = [shop.says("approvals", "approve", each, home=home) for each in approvals]
        assert [vote.code for vote in votes] == [0, 0]


@pytest.mark.slow
def test_a_step_under_way_is_finished_before_the_end(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    door = tmp_path / "open"
    os.mkfifo(door)
    (tmp_path / "shop.py").write_text(BLOCKED, encoding="utf-8")
    with served(shop) as server:
        run = shop.says("run", "pass_through").out.strip()
        with door.open("w") as file:  # opens once the step reads
            server.process.send_signal(signal.SIGTERM)
            until(lambda: "server.stopping" in server.log)
            file.write("through")

        assert server.process.wait(SECONDS_MAX) == 0
    assert shop.says("runs", "show", run, "--json").json["result"] == "through"


@pytest.mark.slow
def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    door = tmp_path / "open"
    os.mkfifo(door)
    (tmp_path / "shop.py").write_text(BLOCKED, encoding="utf-8")
    with served(shop) as server:
        shop.says("run", "pass_through")
        with door.open("w"):
            server.process.send_signal(signal.SIGTERM)
            until(lambda: "server.stopping" in server.log)
            server.process.send_signal(signal.SIGTERM)

            assert server.process.wait(SECONDS_MAX) == -signal.SIGTERM


@pytest.mark.slow
def test_whoever_waits_for_a_dead_socket_owns_the_file_instead(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    with served(shop) as server:
        server.kill()

        assert socket_path(shop.database).exists()
        assert shop.says("runs", "list").code == 0


BLOCKED = '''\
"""A workflow whose step waits for somebody to write."""

from pathlib import Path

from signoff import Run, workflow


@workflow
async def pass_through(run: Run) -> str:
    """Wait at the door."""
    return await run.step(read)


def read() -> str:
    return Path("open").read_text()
'''
