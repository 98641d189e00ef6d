"""What a button carries: approval, version and the beginning of its digest; never data."""

import re
from dataclasses import dataclass
from typing import Final, Self

from typing_extensions import override

from engine.errors import Invalid
from engine.ids import ApprovalId

DIGEST_CHARS: Final = 16
_SPELLING: Final = re.compile(
    r"(apr_[0-9A-Za-z_-]{1,64}):([1-9][0-9]{0,8}):([0-9a-f]{16})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What somebody saw when they pressed. Never trusted: all is read again from the store."""

    approval: ApprovalId
    version: int
    digest: str  # its first 16 hexadecimal digits

    @classmethod
    def of(cls, approval: ApprovalId, *, version: int, digest: str) -> Self:
        """The reference to one version of `approval`; `digest` is whole, `sha256:…`."""
        return cls(approval=approval, version=version, digest=short(digest, DIGEST_CHARS))

    @classmethod
    def read(cls, text: str) -> Self:
        """The reference that `str()` wrote.

        Raises:
            Invalid: for anything else.
        """
        match = _SPELLING.fullmatch(text)
        if match is None:
            raise Invalid("This button is not one that can be answered.", code="bad_reference")
        approval, version, digest = match.groups()
        return cls(approval=ApprovalId(approval), version=int(version), digest=digest)

    def names(self, *, version: int, digest: str) -> bool:
        """Whether this is what `version` with the whole `digest` looks like."""
        return version == self.version and short(digest, DIGEST_CHARS) == self.digest

    @override
    def __str__(self) -> str:
        return f"{self.approval}:{self.version}:{self.digest}"


def short(digest: str, chars: int = 12) -> str:
    """The first hexadecimal digits of `sha256:…`, for people to compare."""
    return digest.removeprefix("sha256:")[:chars]
