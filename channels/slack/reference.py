"""What a button carries: which approval, which version and its digest; never data."""

import re
from dataclasses import dataclass
from typing import Final, Self

from typing_extensions import override

from engine.errors import Invalid
from engine.ids import ApprovalId

_SHA256: Final = "sha256:"
_SPELLING: Final = re.compile(
    r"(apr_[0-9A-Za-z_-]{1,48}):([1-9][0-9]{0,8}):([0-9a-f]{64})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What somebody saw when they pressed. Never trusted: all is read again from the store."""

    approval: ApprovalId
    version: int
    digest: str  # whole, `sha256:…`

    @classmethod
    def read(cls, text: str) -> Self:
        """The reference that `str()` wrote.

        Raises:
            Invalid: for anything else.
        """
        match = _SPELLING.fullmatch(text)
        if match is None:
            raise Invalid("This button cannot be answered any more.", code="bad_reference")
        approval, version, digest = match.groups()
        return cls(approval=ApprovalId(approval), version=int(version), digest=f"{_SHA256}{digest}")

    @override
    def __str__(self) -> str:
        return f"{self.approval}:{self.version}:{self.digest.removeprefix(_SHA256)}"


def short(digest: str, chars: int = 12) -> str:
    """The first hexadecimal digits of `sha256:…`, for people to compare."""
    return digest.removeprefix(_SHA256)[:chars]
