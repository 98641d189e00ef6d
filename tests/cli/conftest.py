"""One server for most tests of a worker, and terminals of several people in front of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import Settings, variable
from tests.cli.ground import Said, Server, new_shop, served, sign_in

# Whoever runs the tests may have settings of their own.
UNSET = {variable(name): None for name in (*Settings.model_fields, "url", "api_key")}


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
def signoff(
    server: Server, home_of: Callable[[str | None], Path], monkeypatch: pytest.MonkeyPatch
) -> Signoff:
    def typed(*words: str, who: str | None = None) -> Said:
        with monkeypatch.context() as here:
            here.chdir(server.shop.folder)
            environment = {**UNSET, **server.shop.environment(home_of(who))}
            ended = CliRunner(env=environment).invoke(app, words)
        return Said(code=ended.exit_code, out=ended.stdout, err=ended.stderr)

    return typed
