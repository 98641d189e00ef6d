"""`signoff tenants`, and whose runs and keys a terminal means where there are several."""

from pathlib import Path

import pytest

from tests.cli.ground import new_shop

pytestmark = pytest.mark.slow


def test_a_terminal_says_whose_as_soon_as_there_are_two(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    made = shop.says("tenants", "create", "acme", "--name", "Acme", "--json")

    unsaid = shop.says("keys", "list")
    typed = shop.says("keys", "create", "--name", "x", "--scope", "read", "--tenant", "acme")
    theirs = shop.says("keys", "list", "--tenant", "acme", "--json")
    ours = shop.says("keys", "list", "--tenant", "default", "--json")

    assert made.json["id"] == "acme"
    assert (unsaid.code, "[tenant_required]" in unsaid.err) == (2, True)
    assert typed.code == 0
    assert [key["name"] for key in theirs.json["keys"]] == ["x"]
    assert ours.json["keys"] == []


def test_an_environment_says_it_for_a_whole_terminal(tmp_path: Path) -> None:
    shop = new_shop(tmp_path, SIGNOFF_TENANT="acme")

    unknown = shop.says("runs", "list")
    shop.says("tenants", "create", "acme", "--name", "Acme")
    shop.says("tenants", "deactivate", "acme")
    resting = shop.says("runs", "list")
    shop.says("tenants", "activate", "acme")
    known = shop.says("runs", "list")

    assert (unknown.code, "[unknown_tenant]" in unknown.err) == (2, True)
    assert (resting.code, "[tenant_inactive]" in resting.err) == (3, True)
    assert known.code == 0
