"""What every test shares: one event loop, and the promise not to skip the browser in silence."""

import gc
from collections import Counter

import pytest
import structlog
from hypothesis import settings

from tests.offline import stay_offline

pytest_plugins = ["tests.fixtures"]

stay_offline()

gc.disable()  # until all are collected: nothing of that is garbage

# Plain lines: drawing a coloured traceback for every planted fault would take seconds.
structlog.configure(processors=[structlog.processors.KeyValueRenderer()])

# How long one example takes depends on what else the machine does.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--as-app",
        action="store_true",
        help="Connect to PostgreSQL as a role that is shown one tenant at a time, everywhere.",
    )
    parser.addoption(
        "--require-browser",
        action="store_true",
        help="Fail instead of skipping where no Chromium can be had.",
    )


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


ON_BOTH = ("tests/engine/", "tests/services/", "tests/channels/test_dispatch")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What speaks of storage is tried on SQLite and on PostgreSQL."""
    place = metafunc.definition.nodeid
    if "database" in metafunc.fixturenames and place.startswith(ON_BOTH):
        shared = pytest.param("postgres", marks=pytest.mark.postgres)
        metafunc.parametrize("database", ["sqlite", shared], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files come first, so that no long one is left when the others have ended."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish() -> None:
    """Eight thousand collected tests live to the end: the garbage collector need not walk them each time."""
    gc.collect()
    gc.freeze()
    gc.enable()
