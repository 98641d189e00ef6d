"""The unit in `deploy/` is one that systemd takes, and does what the page says."""

import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

from tests.architecture.sources import ROOT

UNIT = (ROOT / "deploy" / "signoff.service").read_text(encoding="utf-8")


def test_a_stop_waits_as_long_as_runs_are_given() -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.read_string(UNIT)

    assert unit["Service"]["ExecStart"].endswith("/signoff serve")
    assert int(unit["Service"]["TimeoutStopSec"]) > 20
    assert unit["Service"]["UMask"] == "0077"


def test_systemd_takes_it(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    here = UNIT.replace("/opt/signoff/bin/signoff serve", "/bin/true")
    unit = tmp_path / "signoff.service"
    unit.write_text(here.replace("User=signoff\nGroup=signoff\n", ""), encoding="utf-8")

    refused = [] if program is None else said(program, "verify", str(unit))

    assert refused == []


def said(*command: str) -> list[str]:
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if checked.returncode == 0 else checked.stderr.splitlines()
