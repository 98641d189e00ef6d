"""Tomorrow's version: this very code with a migration that adds a column, and code that fills it."""

import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.store.migrations import HEAD

TOMORROW: Final = f"{int(HEAD) + 1:04}"
ROOT: Final = Path(__file__).parents[2]

MIGRATION: Final = f'''\
"""How a run was taken up."""

import sqlalchemy as sa
from alembic import op

revision = "{TOMORROW}"
down_revision = "{HEAD}"
oldest = "{HEAD}"


def upgrade() -> None:
    """Only add: code that does not know the column leaves it out."""
    op.add_column("runs", sa.Column("mood", sa.Text(), server_default="calm", nullable=False))
'''

# Where, what stands there today, and what will stand there.
CHANGES: Final = (
    ("engine/store/migrations/__init__.py", f'HEAD = "{HEAD}"', f'HEAD = "{TOMORROW}"'),
    (
        "engine/store/tables.py",
        'whole("tries", default=0)',
        'whole("tries", default=0), words("mood", default="calm")',
    ),
    (
        "engine/store/leases.py",
        "tries=runs.c.tries + 1,",
        'tries=runs.c.tries + 1, mood="new",',
    ),
)


def built(folder: Path) -> Path:
    """The folder with tomorrow's code; every change is made in exactly one place."""
    for name in ("engine", "sdk/signoff", "tests/workers"):
        shutil.copytree(ROOT / name, folder / name.removeprefix("sdk/"), ignore=_COMPILED)
    shutil.copy(ROOT / "tests/__init__.py", folder / "tests/__init__.py")
    for path, today, tomorrow in CHANGES:
        text = (folder / path).read_text(encoding="utf-8")
        assert text.count(today) == 1, f"{path} has changed: {today}"
        (folder / path).write_text(text.replace(today, tomorrow), encoding="utf-8")
    versions = folder / "engine/store/migrations/versions"
    (versions / f"{TOMORROW}_mood.py").write_text(MIGRATION, encoding="utf-8")
    return folder


@contextmanager
def at_work_tomorrow(folder: Path, url: str) -> Generator["subprocess.Popen[str]"]:
    """A worker of tomorrow's code that has begun; what is left of it at the end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.workers.life", url],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        text=True,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().split() == ["alive", str(folder)]
        yield process
    finally:
        process.kill()
        process.communicate()


_COMPILED: Final = shutil.ignore_patterns("__pycache__")
