"""Puts one defect at a time into a copy of the sources, and asks the named tests whether they find it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.architecture.sources import ROOT
from tests.planted.defect import Defect

COPIED: Final = ("bot", "channels", "engine", "sdk", "templates", "tests", "examples")
FILES: Final = ("pyproject.toml", ".env.example", "README.md")
WITHIN_S: Final = 900
FOUND: Final = {0: False, 1: True}  # by what pytest ends with; anything else proves nothing


@contextmanager
def nursery() -> Iterator[Path]:
    """A copy of the sources, which is gone afterwards."""
    with TemporaryDirectory(prefix="signoff-planted-") as folder:
        copy = Path(folder) / "signoff"
        copy.mkdir()
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in FILES:
            shutil.copy2(ROOT / name, copy / name)
        yield copy


def occurrences(defect: Defect) -> int:
    """How often the line that is spoilt stands in the sources; once, or the defect is none."""
    return (ROOT / defect.file).read_text(encoding="utf-8").count(defect.old)


def is_found(copy: Path, defect: Defect) -> bool:
    """Whether the named tests fail with the defect. The copy is as it was afterwards.

    Raises:
        KeyError: if they neither failed nor passed, as when they cannot be collected.
    """
    spoilt = copy / defect.file
    sound = spoilt.read_text(encoding="utf-8")
    spoilt.write_text(sound.replace(defect.old, defect.new), encoding="utf-8")
    try:
        return FOUND[_tested(copy, defect.finds)]
    finally:
        spoilt.write_text(sound, encoding="utf-8")


def _tested(copy: Path, tests: str) -> int:
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", "-m", "not postgres", tests]
    paths = os.pathsep.join((str(copy), str(copy / "sdk")))
    done = subprocess.run(
        command,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        check=False,
        timeout=WITHIN_S,
    )
    return done.returncode
