"""The setting of secrets that HTTP steps may send: each by its name, for its own hosts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from bot import setting_values as values
from bot.key_settings import KeySettings
from engine.rules.wording import is_sequence, is_table
from engine.secrets import NAME, Secret, Secrets

_WRITE = 'Write JSON such as {"BANK": {"hosts": ["bank.example.com"], "value": "sk_..."}}'


def by_name(raw: object) -> object:
    """Secrets by name as JSON; what is wrong is told without any of them."""
    if not isinstance(raw, str):
        return raw
    try:
        read: object = json.loads(raw)
    except ValueError:
        raise values.wrong(f"is no JSON. {_WRITE}.") from None
    if not is_table(read):
        raise values.wrong(f"is no JSON object. {_WRITE}.")
    return {str(name): _secret(str(name), said) for name, said in read.items()}


def _secret(name: str, said: object) -> Mapping[str, object]:
    if not NAME.fullmatch(name):
        raise values.wrong(f"has the name {name[:64]!a}; use letters, digits and underscores.")
    found, value = (said.get("hosts"), said.get("value")) if is_table(said) else (None, None)
    hosts = [each.lower() for each in found if isinstance(each, str)] if is_sequence(found) else []
    if not hosts or not isinstance(value, str) or not value.strip():
        raise values.wrong(f"has no value or no hosts for {name}. {_WRITE}.")
    return {"hosts": hosts, "value": SecretStr(value)}


class SecretSettings(KeySettings):
    """What `Settings` has of secrets that go out."""

    http_secrets: Annotated[
        Mapping[str, Mapping[str, SecretStr | list[str]]], NoDecode, BeforeValidator(by_name)
    ] = Field(
        default={},
        repr=False,
        description="Secrets that HTTP steps may name in headers, as `${secret.BANK}`, each for its hosts.",
        examples=['{"BANK": {"hosts": ["bank.example.com"], "value": "sk_..."}}'],
    )

    def __init__(self, env_file: Path | None = None, **given: Any) -> None:
        super().__init__(env_file, **given)

    def secrets(self) -> Secrets:
        """What HTTP steps may send."""
        return Secrets({name: _kept(each) for name, each in self.http_secrets.items()})


def _kept(each: Mapping[str, SecretStr | list[str]]) -> Secret:
    value, hosts = each["value"], each["hosts"]
    text = value.get_secret_value() if isinstance(value, SecretStr) else ""
    return Secret(value=text, hosts=tuple(hosts) if isinstance(hosts, list) else ())
