"""A second PostgreSQL that follows a first one, and takes over when it is told to."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.cli.ground import until
from tests.memory import scratch
from tests.postgres.server import NOBODY, USER, Server

NAME = "second"
FOLLOWS = "SELECT sync_state FROM pg_stat_replication"


@contextmanager
def standby_of(first: Server) -> Generator[Server]:
    """A server that has all that `first` has, and takes no writes yet. What `first` answers, both have."""
    folder = Path(mkdtemp(prefix="pg-", dir=scratch()))
    made = Server(folder=folder, programs=first.programs, settings=(f"cluster_name={NAME}",))
    try:
        _copy(first, made)
        made.start()
        first.ask("ALTER SYSTEM SET synchronous_commit = 'remote_apply'")
        first.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
        first.ask("SELECT pg_reload_conf()")
        until(lambda: first.ask(FOLLOWS) == "sync")
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _copy(first: Server, made: Server) -> None:
    made.folder.chmod(0o755)
    who = NOBODY if os.geteuid() == 0 else None
    if who is not None:
        os.chown(made.folder, NOBODY, NOBODY)
    program = str(first.programs / "pg_basebackup")
    options = ("-D", str(made.folder / "data"), "-R", "-c", "fast", "--no-sync")
    subprocess.run(
        [program, "-h", str(first.folder), "-U", USER, *options],
        check=True,
        cwd=made.folder,
        user=who,
        group=who,
    )
