"""`docs/reference/settings.md`: every setting, what it means and its default."""

from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.docs_pages import in_order, shown_default
from bot.reference.tables import code, table
from bot.settings import Settings, variable

_INTRODUCTION: Final = """\
# Settings

This page is made from `bot/settings.py`; a test keeps it complete, and `.env.example` with it.

Settings are read once, at the start, from the environment and from `.env` in the folder in which
`signoff` is started; the environment wins. None of them has to be set. What cannot work is refused at
the start, all of it at once; `signoff doctor` says the same without starting anything. Secrets are
never printed, logged or sent. Who may approve what is no setting: it is in
[`signoff.toml`](configuration.md).
"""
_CLIENT: Final = """\

## For whoever asks

The Python client, and the command line when it talks to a server elsewhere, read two more:

| variable | means |
| --- | --- |
| `SIGNOFF_URL` | The server's address; for the client `http://127.0.0.1:8080` unless set. |
| `SIGNOFF_API_KEY` | The key to ask with, as `signoff keys create` printed it. |
"""


def settings_page() -> str:
    """The whole page as Markdown; the same text every time."""
    rows = (
        (code(variable(name)), field.description or "", _default(field))
        for name, field in in_order(Settings)
    )
    lines = table(("variable", "means", "default"), rows)
    return "\n".join((_INTRODUCTION, *lines, _CLIENT))


def _default(field: FieldInfo) -> str:
    default = code(shown_default(field.default))
    if default:
        return default
    if field.default_factory is not None:
        return "where it listens"
    if SecretStr.__name__ in str(field.annotation):
        return "none; a secret"
    example = str((field.examples or [""])[0])
    return f"none; such as {code(example)}" if example else "none"
