"""Where is measured: a database that is empty or was made for this, and a folder for what goes with it."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import SecretStr

from bot.settings import Settings
from engine.errors import Refused
from engine.ids import SystemIds
from engine.store.database import Database
from engine.store.measuring import file_may_be_filled, may_be_filled, shared_size
from engine.store.postgres_url import is_postgres, shown_url

PEOPLE: Final = """\
[people.bench]
name = "Bench"
email = "bench@example.com"

[roles]
operator = ["bench"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One database. Beside it, `folder` holds the configuration, logs and sockets of one measurement."""

    url: str
    folder: Path

    @property
    def is_shared(self) -> bool:
        """Whether many processes may use it."""
        return is_postgres(self.url)

    @property
    def kind(self) -> str:
        """Which database it is, in a word."""
        return "postgresql" if self.is_shared else "sqlite"

    @property
    def path(self) -> Path:
        """The file, where it is one."""
        return Path(self.url.partition("///")[2])

    @property
    def secret(self) -> str:
        """What every process of the measurement makes its tokens from."""
        return (self.folder / "secret").read_text(encoding="utf-8")

    @property
    def settings(self) -> Settings:
        """For an engine in this process; whatever the environment says of channels is left out."""
        return Settings(
            None,
            database_url=self.url,
            secret_key=SecretStr(self.secret),
            config=self.folder / "signoff.toml",
            slack_bot_token=None,
            slack_signing_secret=None,
            smtp_url=None,
            mail_from=None,
            open_approvals_max=0,
        )

    def environment(self, port: int) -> dict[str, str]:
        """For `signoff serve` on `port`."""
        return {
            "SIGNOFF_DATABASE_URL": self.url,
            "SIGNOFF_SECRET_KEY": self.secret,
            "SIGNOFF_CONFIG": str(self.folder / "signoff.toml"),
            "SIGNOFF_WORKFLOWS": "bot.bench.flows",
            "SIGNOFF_PORT": str(port),
            "SIGNOFF_OPEN_APPROVALS_MAX": "0",  # one key asks everything
        }

    def configure(self, text: str = PEOPLE) -> None:
        """Write the configuration that servers and engines of this place read."""
        (self.folder / "signoff.toml").write_text(text, encoding="utf-8")

    async def check(self) -> None:
        """Return if nobody would miss what is in the database.

        Raises:
            Refused: `not_for_measuring`, otherwise. Unavailable: if it cannot be reached.
        """
        theirs = await may_be_filled(self.url) if self.is_shared else file_may_be_filled(self.path)
        if not theirs:
            shown = shown_url(self.url) if self.is_shared else str(self.path)
            raise Refused(
                f"{shown} is not empty, and was not made for measurements. Name another database.",
                code="not_for_measuring",
            )

    async def size(self, database: Database) -> int:
        """How many bytes it takes up."""
        if self.is_shared:
            return await database.read(shared_size)
        beside = self.path.with_name(f"{self.path.name}-wal")
        return sum(file.stat().st_size for file in (self.path, beside) if file.exists())


@contextmanager
def place(database: str | None) -> Generator[Place]:
    """The place that `database` names, a URL or a file; a new file that is gone afterwards without one."""
    # A socket's path may not be long.
    with TemporaryDirectory(prefix="signoff-bench-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        named = database or str(folder / "bench.db")
        made_here = Place(url=_url(named), folder=folder)
        (folder / "secret").write_text(SystemIds().secret(), encoding="utf-8")
        made_here.configure()
        yield made_here


def _url(named: str) -> str:
    if is_postgres(named):
        return named
    file = named.partition(":///")[2] if "://" in named else named
    return f"sqlite+aiosqlite:///{Path(file).resolve()}"
