"""What is a secret by its name or by its looks, wherever something is written down: in logs and in journals."""

import re
from functools import lru_cache
from typing import Final

_NAMES: Final = re.compile(
    r"(^|[_-])(token|secret|password|passwd|authorization|cookie|signature|response_?url|api[_-]?key|key_?text|smtp_url)($|[_-])",
    re.IGNORECASE,
)
# One of these is in whatever `_VALUES` finds; looking for them first costs a tenth.
_MARKS: Final = (
    "sk_",
    "xox",
    "xapp-",
    "whsec_",
    "bearer ",
    "basic ",
    "://",
    "/respond/",
    "/sign-in/",
)
_VALUES: Final = re.compile(
    r"sk_[A-Za-z0-9]+_[A-Za-z0-9_-]+"
    r"|xox[a-z]-[A-Za-z0-9-]+|xoxe\.[A-Za-z0-9.-]+|xapp-[A-Za-z0-9-]+"
    r"|whsec_[A-Za-z0-9+/=_-]+"
    r"|(?i:bearer|basic) +[A-Za-z0-9+/=_.~-]{8,}"
    r"|(?<=://)hooks\.slack(?:-gov)?\.com/[^\s\"']+"  # who holds it may post as the bot
    r"|(?<=/respond/)[A-Za-z0-9_-]{8,}|(?<=/sign-in/)[A-Za-z0-9_-]{8,}"
    r"|(?<=://)[^/@\s:]*:[^/@\s]+(?=@)"
)


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether what is called so is a secret."""
    return _NAMES.search(name) is not None


def without_secrets(text: str, hidden: str) -> str:
    """`text` with `hidden` in the place of whatever looks like a secret."""
    lowered = text.lower()
    return _VALUES.sub(hidden, text) if any(mark in lowered for mark in _MARKS) else text
