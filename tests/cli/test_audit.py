"""`signoff audit`: the record proven from a terminal, with and without the database."""

from pathlib import Path

import pytest

from tests.cli.conftest import Signoff


@pytest.fixture
def kept(signoff: Signoff, tmp_path: Path) -> Path:
    """Anchors as somebody keeps them elsewhere."""
    signoff("keys", "create", "--name", "agent", "--scope", "read")
    path = tmp_path / "elsewhere.jsonl"
    said = signoff("audit", "anchor")
    assert (said.code, said.err) == (0, ""), said
    path.write_text(said.out, encoding="utf-8")
    return path


def test_an_anchor_that_was_changed_is_damage(signoff: Signoff, kept: Path) -> None:
    text = kept.read_text(encoding="utf-8")
    kept.write_text(text.replace('"chains": ', '"chains": 1'), encoding="utf-8")

    found = signoff("audit", "verify", "--anchors", str(kept))

    assert found.code == 1
    assert "forged: Anchor " in found.out
    assert "This was tampered with" in found.out


def test_what_is_no_anchor_and_no_export_is_not_understood(
    signoff: Signoff, kept: Path, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("nonsense\n", encoding="utf-8")

    said = [
        signoff("audit", "verify", "--anchors", str(nonsense)),
        signoff("audit", "verify", "--anchors", str(tmp_path / "nowhere")),
        signoff("audit", "verify", "--export", str(nonsense)),
        signoff("audit", "verify", "--export", str(tmp_path / "nowhere")),
        signoff("audit", "export", str(kept)),
    ]

    codes = [each.err.rpartition("[")[2].strip("]\n") for each in said]
    assert codes == ["bad_anchor", "bad_anchor", "bad_export", "bad_export", "file_exists"]
    assert {each.code for each in said} == {2}


def test_a_terminal_proves_the_record(signoff: Signoff, kept: Path, tmp_path: Path) -> None:
    public = signoff("audit", "key").out.strip()
    export, table = tmp_path / "audit.jsonl", tmp_path / "audit.csv"
    signoff("audit", "export", str(export))
    signoff("audit", "export", "--csv", str(table))

    whole = signoff("audit", "verify", "--anchors", str(kept))
    offline = signoff(
        "audit", "verify", "--export", str(export), "--key", public, "--anchors", str(kept)
    )
    listed = signoff("audit", "list", "--kind", "key")

    assert (whole.code, offline.code) == (0, 0), (whole, offline)
    assert "Everything is as it was written" in offline.out
    assert "key.created" in listed.out
    assert table.read_text(encoding="utf-8").startswith("chain,position,at")
