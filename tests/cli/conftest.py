"""One server for most tests of a worker, and terminals of several people in front of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.cli.ground import Said, Server, new_shop, served, sign_in


class Signoff(Protocol):
    """Types `signoff words…` in the shop's folder, as `who` is signed in, or as nobody is."""

    def __call__(self, *words: str, who: str | None = None) -> Said: ...


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(new_shop(tmp_path_factory.mktemp("shop"))) as server:
        yield server


@pytest.fixture(scope="session")
def home_of(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str | None], Path]:
    homes: dict[str | None, Path] = {}

    def home(who: str | None) -> Path:
        if who not in homes:
            homes[who] = tmp_path_factory.mktemp(f"home-{who}")
            if who is not None:
                assert sign_in(server, f"{who}@example.com", homes[who]).code == 0
        return homes[who]

    return home


@pytest.fixture
def signoff(server: Server, home_of: Callable[[str | None], Path]) -> Signoff:
    def typed(*words: str, who: str | None = None) -> Said:
        return server.shop.types(*words, home=home_of(who))

    return typed
