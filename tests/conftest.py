"""What every test shares: one event loop, and the promise not to skip the browser in silence."""

import pytest
import structlog

pytest_plugins = ["tests.fixtures"]

# Plain lines: drawing a coloured traceback for every planted fault would take seconds.
structlog.configure(processors=[structlog.processors.KeyValueRenderer()])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-browser",
        action="store_true",
        help="Fail instead of skipping where no Chromium can be had.",
    )


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
