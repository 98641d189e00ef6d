"""`signoff kill-switch` from a terminal, while no server runs at all."""

from pathlib import Path

import pytest

from tests.cli.ground import new_shop, served, until

pytestmark = pytest.mark.slow


def test_a_terminal_stops_a_tenant_without_a_server(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    why = ("--reason", "Look first.")

    before = shop.says("kill-switch", "status")
    engaged = shop.says("kill-switch", "engage", "tenant", *why)
    during = shop.says("kill-switch", "status", "--json")
    wrong = shop.says("kill-switch", "engage", "all", *why)
    alone = shop.says("kill-switch", "release", "everything", *why)
    released = shop.says("kill-switch", "release", "tenant", *why)

    assert (before.code, engaged.code, released.code) == (0, 0, 0)
    assert (during.code, during.json["switches"][0]["reason"]) == (1, "Look first.")
    assert (wrong.code, "[bad_scope]" in wrong.err) == (2, True)
    assert (alone.code, "[not_signed_in]" in alone.err) == (3, True)
    assert "goes on" in released.out


def test_a_terminal_stops_what_a_server_drives_over_the_owners_socket(tmp_path: Path) -> None:
    with served(new_shop(tmp_path)) as server:
        engaged = server.shop.says("kill-switch", "engage", "tenant", "--reason", "Look first.")
        during = server.shop.says("kill-switch", "status", "--json")
        until(lambda: "switches.changed" in server.log)

    assert (engaged.code, during.code) == (0, 1)
    assert "switch.engaged" in server.log
