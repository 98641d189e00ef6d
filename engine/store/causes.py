"""Why a database does not take something, in one sentence that says what was kept and what to do next."""

from dataclasses import dataclass
from typing import Final

from engine.errors import EngineError, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What is wrong, what to do about it, and what then happens by itself. `code` is what programs see."""

    code: str
    what: str
    mend: str
    then: str = ""

    def refusal(self, reason: str) -> EngineError:
        """What the caller of a deed is told; `reason` is the database's own word."""
        then = f"; {self.then}" if self.then else ""
        return Unavailable(
            f"{self.what}: {reason}. Nothing of it was kept: {self.mend}{then}.", code=self.code
        )

    def unopened(self, where: str, reason: str) -> EngineError:
        """What whoever starts is told; `where` is the database, without its password."""
        mend = self.mend[:1].upper() + self.mend[1:]
        what = self.what[:1].lower() + self.what[1:]
        return Unavailable(f"{where} cannot be used: {what} ({reason}). {mend}.", code=self.code)


UNKNOWN: Final = Cause(
    code="unavailable",
    what="The store did not take this",
    mend="try again, and see `signoff doctor` when it stays",
)


def one_line(error: BaseException) -> str:
    """What `error` says, without line breaks and the stop at its end."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
