"""The settings of traces: who keeps them, how that is proven to be us, and how many of them."""

import re
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from bot import setting_values as values
from bot.anchoring.settings import AnchorSettings

_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,100}=[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


def collector(text: str) -> str:
    """An address to which OTLP is posted."""
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        is_right = is_right and parts.username is None
    except ValueError:
        is_right = False
    if not is_right:
        raise values.wrong("is no address such as http://127.0.0.1:4318/v1/traces.")
    return text


def headers(text: SecretStr) -> SecretStr:
    """Headers, with commas between them."""
    for each in text.get_secret_value().split(","):
        if not _HEADER.fullmatch(each.strip()):
            raise values.wrong("is not written as authorization=Bearer …,x-team=payments.")
    return text


class TraceSettings(AnchorSettings):
    """What `Settings` has of traces."""

    traces_url: Annotated[str, AfterValidator(collector)] | None = Field(
        default=None,
        description="Where traces are sent as OTLP over HTTP (Jaeger, Tempo, a collector); else nowhere.",
        examples=["http://127.0.0.1:4318/v1/traces"],
    )
    traces_headers: Annotated[SecretStr, AfterValidator(headers)] | None = Field(
        default=None,
        description="Headers that are sent along with traces, with commas between them.",
        examples=["authorization=Bearer …"],
    )
    traces_share: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="The share of traces that are sent, from 0 to 1; a caller's own choice counts more.",
        examples=["0.1"],
    )

    def __init__(self, env_file: Path | None = None, **given: Any) -> None:
        super().__init__(env_file, **given)

    def trace_headers(self) -> dict[str, str]:
        """What is sent along with traces."""
        if self.traces_headers is None:
            return {}
        pairs = (each.partition("=") for each in self.traces_headers.get_secret_value().split(","))
        return {name.strip(): value.strip() for name, _, value in pairs}
