"""`signoff kill-switch` from a terminal, while no server runs at all."""

from pathlib import Path

import pytest

from tests.cli.ground import new_shop

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
