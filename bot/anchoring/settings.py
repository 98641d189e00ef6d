"""The settings of anchors and of what else is kept outside: the key, how often, and where."""

import base64
import binascii
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from bot import setting_values as values
from engine.rules.durations import parse_duration, say_duration
from engine.rules.wording import BadRule
from engine.signing import SEED_BYTES, is_public_key

EVERY: Final = (timedelta(seconds=10), timedelta(days=1))
SYSLOG_PORTS: Final = {"udp": 514, "tcp": 601}


def signing_key(key: SecretStr) -> SecretStr:
    """32 bytes in base64."""
    try:
        seed = base64.b64decode(key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != SEED_BYTES:
        raise values.wrong("is not 32 bytes in base64. Make one: openssl rand -base64 32.")
    return key


def public_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Public keys as `signoff audit key` prints them."""
    for key in keys:
        if not is_public_key(key):
            raise values.wrong(
                f"has {key[:60]!a}, which is no key that `signoff audit key` printed."
            )
    return keys


def every(raw: object) -> object:
    """A duration as `5m`."""
    try:
        duration = parse_duration(raw) if isinstance(raw, str) else raw
    except BadRule as refused:
        raise values.wrong(f"cannot be read: {refused}") from None
    shortest, longest = EVERY
    if isinstance(duration, timedelta) and not shortest <= duration <= longest:
        raise values.wrong(f"must be from {say_duration(shortest)} to {say_duration(longest)}.")
    return duration


def syslog(text: str) -> str:
    """An address of a syslog server."""
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in SYSLOG_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right:
        raise values.wrong("is no address of a syslog server, as udp://log.example.com:514.")
    return text


class AnchorSettings(BaseSettings):
    """What `Settings` has of anchors, and of who was erased."""

    anchor_key: Annotated[SecretStr, AfterValidator(signing_key)] | None = Field(
        default=None,
        description="What signs anchors, 32 random bytes in base64; else it is made from the secret.",
    )
    anchor_trusts: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(values.listed), AfterValidator(public_keys)
    ] = Field(
        default=(),
        description="The public keys that signed anchors before and still count.",
        examples=["ed25519:…"],
    )
    anchor_every: Annotated[timedelta, BeforeValidator(every)] = Field(
        default=timedelta(minutes=5),
        description="How long what was written may be without an anchor.",
        examples=["5m"],
    )
    anchor_entries: int = Field(
        default=256, ge=1, le=1_000_000, description="How many entries make an anchor due earlier."
    )
    anchor_file: Path | None = Field(
        default=None,
        description="The file to which anchors are added; else one beside the SQLite file.",
        examples=["/var/log/signoff/anchors.jsonl"],
    )
    anchor_syslog: Annotated[str, AfterValidator(syslog)] | None = Field(
        default=None,
        description="The syslog server that is told every anchor, over udp or tcp.",
        examples=["udp://log.example.com:514"],
    )
    anchor_webhook: str | None = Field(
        default=None, description="The webhook of `signoff.toml` that is told every anchor."
    )
    erasure_file: Path | None = Field(
        default=None,
        description="The file that says who was erased, for a restore; else one beside the SQLite file.",
        examples=["/var/lib/signoff/erased.jsonl"],
    )

    def __init__(self, env_file: Path | None = None, **given: Any) -> None:
        super().__init__(_env_file=env_file, **given)
