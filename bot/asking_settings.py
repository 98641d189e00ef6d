"""The settings of what whoever asks may do: how much may be open, and where their decisions may go."""

from pathlib import Path
from typing import Any

from pydantic import Field

from bot.http_secrets import SecretSettings


class AskingSettings(SecretSettings):
    """What `Settings` has of those who ask."""

    open_approvals_max: int = Field(
        default=1_000,
        ge=0,
        description="How many approvals one key or person may have open in a tenant; 0 for no cap.",
    )

    def __init__(self, env_file: Path | None = None, **given: Any) -> None:
        super().__init__(env_file, **given)
