"""Reads the text of each setting into its value, or says how to write it."""

import re
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final, LiteralString
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from engine.addresses import Network
from engine.rules.durations import parse_duration, say_duration
from engine.rules.wording import BadRule, is_sequence, shown
from engine.store.postgres_url import each_host, is_postgres, normalised

SECRET_BYTES_MIN: Final = 32
SECRET_LETTERS_MIN: Final = 8  # different ones: fewer is a key held down, not a secret
LEASES: Final = (timedelta(seconds=2), timedelta(minutes=5))

SHARED_WITHOUT_KEY: Final = (
    "SIGNOFF_SECRET_KEY is not set. Whoever shares a PostgreSQL needs the same secret: make one with "
    "`openssl rand -hex 32`, and set it for every process."
)

DOORS_WITHOUT_WORKERS: Final = (
    "SIGNOFF_DOORS_ONLY is set, and a SQLite file has one owner: nobody else could do the work. "
    "Remove it, or set SIGNOFF_DATABASE_URL to a PostgreSQL and start `signoff worker` beside it."
)

_SQLITE: Final = re.compile(r"sqlite(?:\+aiosqlite|\+pysqlite)?:///(?P<path>[^?#]+)")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+]*(?=:)")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_TEAM: Final = re.compile(r"[TE][A-Z0-9]{2,20}")
_APP: Final = re.compile(r"A[A-Z0-9]{2,20}")
_MODULE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def wrong(sentence: str, *, code: LiteralString = "bad_setting") -> PydanticCustomError:
    """What to raise for a value that cannot be used; the sentence follows the setting's name."""
    return PydanticCustomError(code, "{sentence}", {"sentence": sentence})


def listed(raw: object) -> object:
    """The parts of a text with commas; anything else as it is."""
    if not isinstance(raw, str):
        return raw
    return [part.strip() for part in raw.split(",") if part.strip()]


def database_url(text: str) -> str:
    """The one spelling of a database: `sqlite+aiosqlite:///path`, or `postgresql://…`."""
    if is_postgres(text):
        return _shared_url(text)
    found = _SQLITE.fullmatch(text)
    if found is None or ":memory:" in text:
        scheme = _SCHEME.match(text)
        named = f"names {scheme[0]}" if scheme else "names no database"
        raise wrong(
            f"{named}. Write sqlite:///signoff.db, or postgresql://user:password@host/signoff.",
            code="unknown_database",
        )
    return f"sqlite+aiosqlite:///{found['path']}"


def _shared_url(text: str) -> str:
    try:
        path = urlsplit(normalised(text)).path
        is_whole = path.strip("/") != "" and bool(each_host(text))
    except ValueError:
        is_whole = False
    if not is_whole:
        raise wrong(
            "names no database of PostgreSQL. Write postgresql://user:password@host/signoff.",
            code="unknown_database",
        )
    return normalised(text)


def own_url(host: str, port: int) -> str:
    """How this machine reaches what listens on `host` and `port`."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def base_url(text: str) -> str:
    """An address like `https://bot.example.com`, without a slash at the end."""
    url = text.rstrip("/")
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise wrong("is no address that can be read. Write https://bot.example.com.") from None
    is_bare = url == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_bare:
        raise wrong("is no bare address. Write it as https://bot.example.com, without a path.")
    if not port_is_fine or not is_host(parts.hostname):
        raise wrong("is no address that people could open. Write https://bot.example.com.")
    return url


def host(text: str) -> str:
    """A name or an address to listen on."""
    if not is_host(text):
        raise wrong(f"is {shown(text)}. Write an address such as 127.0.0.1, or a name.")
    return text


def secret_key(key: SecretStr) -> SecretStr:
    """A secret that is long enough to make every token from."""
    secret = key.get_secret_value()
    if len(secret.encode(errors="replace")) < SECRET_BYTES_MIN:
        raise wrong(
            f"is shorter than {SECRET_BYTES_MIN} bytes. `openssl rand -base64 32` makes one."
        )
    if len(set(secret)) < SECRET_LETTERS_MIN:
        raise wrong("can be guessed. `openssl rand -base64 32` makes a good one.")
    return key


def team_ids(raw: frozenset[str]) -> frozenset[str]:
    """Slack workspaces and organisations."""
    for team in sorted(raw):
        if not _TEAM.fullmatch(team):
            raise wrong(
                f"names {shown(team)}. A workspace looks like T0123ABCD, an organisation E…"
            )
    return raw


def app_id(text: str) -> str:
    """A Slack app."""
    if not _APP.fullmatch(text):
        raise wrong(f'is {shown(text)}. It looks like A0123ABCD, under "Basic Information".')
    return text


def networks(raw: object) -> object:
    """Networks as `10.1.0.0/16`, or single addresses, with commas between them."""
    parts = listed(raw)
    return tuple(_network(str(part)) for part in parts) if is_sequence(parts) else parts


def proxies(raw: tuple[str, ...]) -> tuple[str, ...]:
    """Networks, kept as they are written."""
    for part in raw:
        _network(part)
    return raw


def modules(raw: tuple[str, ...]) -> tuple[str, ...]:
    """Importable modules."""
    for name in raw:
        if not _MODULE.fullmatch(name):
            raise wrong(f"names {shown(name)}. Write modules as Python imports them: shop.refunds.")
    return raw


def lease(raw: object) -> object:
    """A duration as `30s`, of a length that a dead worker may cost."""
    try:
        duration = parse_duration(raw) if isinstance(raw, str) else raw
    except BadRule as refused:
        raise wrong(f"cannot be read: {refused}") from None
    shortest, longest = LEASES
    if isinstance(duration, timedelta) and not shortest <= duration <= longest:
        raise wrong(f"must be from {say_duration(shortest)} to {say_duration(longest)}.")
    return duration


def is_host(text: str) -> bool:
    """Whether `text` is an IP address or may be a host's name."""
    try:
        ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def is_loopback(text: str) -> bool:
    """Whether only this machine reaches the host `text`."""
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return text.lower() == "localhost"


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise wrong(f"names {shown(text)}. Write networks as 10.1.0.0/16, or addresses.") from None


def unreadable(env_file: Path) -> str | None:
    """Why `env_file` cannot be read; None when it can, or is not there."""
    try:
        env_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        return f"{env_file} cannot be read: {error}. Write it in UTF-8, readable for this user."
    return None
