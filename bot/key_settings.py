"""The settings of the server's own secret, and of those before it."""

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_settings import NoDecode

from bot import setting_values as values
from bot.tracing.settings import TraceSettings

OLDER_MAX: Final = 4


def older_keys(keys: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
    """Secrets that came before the first one, the newest first."""
    if len(keys) > OLDER_MAX:
        raise values.wrong(f"holds {len(keys)} secrets; at most {OLDER_MAX} are looked through.")
    for each in keys:
        values.secret_key(each)
    if len(set(keys)) < len(keys):
        raise values.wrong("holds one secret twice.")
    if info.data.get("secret_key") in keys:
        raise values.wrong("holds the secret that SIGNOFF_SECRET_KEY is. Leave the older ones.")
    return keys


class KeySettings(TraceSettings):
    """What `Settings` has of the server's own secrets."""

    secret_key: Annotated[SecretStr, AfterValidator(values.secret_key)] | None = Field(
        default=None,
        description="What every token is made from, 32 random bytes; else one is kept beside the file.",
    )
    secret_key_previous: Annotated[
        tuple[SecretStr, ...],
        NoDecode,
        BeforeValidator(values.listed),
        AfterValidator(older_keys),
    ] = Field(
        default=(),
        description="The secrets before it, newest first, with commas: what they made still holds.",
    )

    def __init__(self, env_file: Path | None = None, **given: Any) -> None:
        super().__init__(env_file, **given)
