"""The server elsewhere that the command line is told to talk to, and with what it speaks there."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.cli.terminal import ExitCode, Stopped, usage
from bot.setting_values import is_loopback
from bot.settings import PREFIX

_KEY: Final = re.compile(r"[\x21-\x7e]+")


class Remote(BaseSettings):
    """`SIGNOFF_URL`, `SIGNOFF_API_KEY` and `SIGNOFF_TENANT`, from the environment and `.env`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    url: str | None = None
    api_key: SecretStr | None = None
    tenant: str | None = None

    def __init__(self, env_file: Path | None = None) -> None:
        super().__init__(_env_file=env_file)


def remote(url: str | None) -> Remote:
    """The server at `url`, or else the one the environment names, if any.

    Raises:
        Stopped: `bad_url`, if that is no address, or one where a key would travel in the open.
    """
    try:
        found = Remote(Path(".env"))
    except (OSError, UnicodeDecodeError, ValidationError):
        found = Remote()  # what is wrong with `.env` is told by whoever needs it
    address = url or found.url
    return found.model_copy(update={"url": None if address is None else _checked(address)})


def key_of(found: Remote) -> str:
    """The API key for the server.

    Raises:
        Stopped: `no_key`, if there is none that could be sent.
    """
    key = "" if found.api_key is None else found.api_key.get_secret_value().strip()
    if not _KEY.fullmatch(key):
        raise Stopped(
            "There is no usable API key for that server. Put the one that `signoff keys create` "
            "printed there into SIGNOFF_API_KEY.",
            code="no_key",
            exit_code=ExitCode.REFUSED,
        )
    return key


def _checked(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise usage(
            f"{address!r} is no server's address. Write https://bot.example.com.", code="bad_url"
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise usage(
            f"{address} is not https: the key would travel in the open. Write https://.",
            code="bad_url",
        )
    return address.rstrip("/")
