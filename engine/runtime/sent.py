"""What an ordinary step was given, as its journal keeps it: JSON without secrets, and not without end."""

import re
from collections.abc import Mapping
from typing import Final

from engine.digest import canonical, sha256
from engine.errors import Invalid
from engine.redaction import is_secret, without_secrets
from engine.rules.wording import is_sequence, is_table
from engine.runtime.texts import Opened
from engine.secrets import Secrets
from signoff.calls import Call

BYTES_MAX: Final = 65_536  # of what is kept whole
BEGINNING_CHARS: Final = 1_000
DEPTH_MAX: Final = 32
HIDDEN: Final = "[secret]"
_WORDS: Final = r"(?:token|secret|password|passwd|authorization|cookie|signature|api[_-]?key)"
_WHO: Final = re.compile(r"(?<=://)[^/@\s]+(?=@)")  # signs in at an address
_ASKED: Final = re.compile(rf"([?&](?:[\w.-]*[_-])?{_WORDS}=)[^&#\s]+", re.IGNORECASE)


def sent(call: Call[object], secrets: Secrets) -> dict[str, object]:
    """The function and its arguments, for the end of a step that no beginning tells of.

    What is no JSON is told by its type alone. Whatever is called like a secret, or is one of
    `secrets`, is left out, and of more than 64 KiB only how it begins, with its digest.
    """
    told = _Telling(secrets)
    names = call.parameters
    args = [
        told.named(names[index] if index < len(names) else "", value)
        for index, value in enumerate(call.args)
    ]
    kwargs = {str(name): told.named(str(name), value) for name, value in call.kwargs.items()}
    return {"fn": _name_of(call), "arguments": _bounded({"args": args, "kwargs": kwargs})}


class _Telling:
    """Writes values down for one step."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def named(self, name: str, value: object, depth: int = 0) -> object:
        """`value` as it is kept under `name`."""
        return HIDDEN if value is not None and is_secret(name) else self._plain(value, depth)

    def _plain(self, value: object, depth: int) -> object:
        if isinstance(value, Opened):
            return value.kept  # what people wrote stays sealed
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth < DEPTH_MAX and is_table(value):
            within = value.items()
            return {str(key): self.named(str(key), each, depth + 1) for key, each in within}
        if depth < DEPTH_MAX and is_sequence(value):
            return [self._plain(each, depth + 1) for each in value]
        return f"<{type(value).__name__}>"

    def _text(self, value: str) -> str:
        text = without_secrets(self._secrets.hidden(value), HIDDEN)
        if "://" not in text:
            return text
        return _ASKED.sub(rf"\1{HIDDEN}", _WHO.sub(HIDDEN, text))


def _bounded(arguments: Mapping[str, object]) -> Mapping[str, object]:
    try:
        written = canonical(arguments)
    except Invalid as error:
        return {"unkept": str(error)}
    if len(written) <= BYTES_MAX:
        return arguments
    begins = written[:BEGINNING_CHARS].decode(errors="replace")
    return {"bytes": len(written), "digest": sha256(written), "begins": begins}


def _name_of(call: Call[object]) -> str:
    fn = call.fn
    name = getattr(fn, "__qualname__", type(fn).__qualname__)
    return f"{getattr(fn, '__module__', '')}:{name}"
