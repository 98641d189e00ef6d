"""A file in which much has happened, made once and anchored; every test begins with a copy."""

import asyncio
import shutil
import threading
from pathlib import Path

import pytest

from tests.audit.ground import Ground, populated


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Ground:
    """The file that is copied, its older self, and what its anchors said outside."""
    folder = tmp_path_factory.mktemp("record")
    shutil.copyfile(migrated_file, folder / "signoff.db")
    made: list[Ground] = []
    # A loop may be running here already.
    making = threading.Thread(target=lambda: made.append(asyncio.run(populated(folder))))
    making.start()
    making.join()
    return made[0]


@pytest.fixture
def ground(kept: Ground, tmp_path: Path) -> Ground:
    """The same in a folder of its own, to be tampered with."""
    return kept.copied(tmp_path)
