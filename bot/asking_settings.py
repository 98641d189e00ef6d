"""The settings of what whoever asks may do: how much may be open, and where their decisions may go."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from bot import setting_values as values
from bot.http_secrets import SecretSettings
from engine.addresses import Network


class AskingSettings(SecretSettings):
    """What `Settings` has of those who ask."""

    open_approvals_max: int = Field(
        default=1_000,
        ge=0,
        description="How many approvals one key or person may have open in a tenant; 0 for no cap.",
    )
    callback_allow_nets: Annotated[
        tuple[Network, ...], NoDecode, BeforeValidator(values.networks)
    ] = Field(
        default=(),
        description="Networks of your own that a `callback_url` or `notify` of whoever asks may lead to.",
        examples=["10.1.2.0/24"],
    )

    def __init__(self, env_file: Path | None = None, **given: Any) -> None:
        super().__init__(env_file, **given)
