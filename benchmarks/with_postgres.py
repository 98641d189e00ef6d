"""Runs a command with a PostgreSQL of its own: `{url}` in the command becomes the URL of a new, empty database.

The server is durable, as in earnest (fsync and full pages on), and gone when the command has ended:

    .venv/bin/python benchmarks/with_postgres.py .venv/bin/python -m signoff bench gated-runs --database {url}
"""

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.postgres.server import Server

ROOT = Path(__file__).resolve().parents[1]
DURABLE = (
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "autovacuum=on",
    "shared_buffers=512MB",
    "max_wal_size=4GB",
)


@contextmanager
def durable() -> Generator["Server"]:
    """A PostgreSQL that loses nothing, until the block ends, or the process is told to end."""
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    sys.path.insert(0, str(ROOT))
    from tests.postgres.server import server

    with server(*DURABLE) as started:
        yield started


def main(command: list[str]) -> int:
    """Run `command`; its exit code."""
    if not command:
        raise SystemExit(__doc__)
    with durable() as started:
        url = started.url(started.make())
        return subprocess.run(
            [word.replace("{url}", url) for word in command], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
