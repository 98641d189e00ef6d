"""What people wrote, as the code of a run reads it; what is recorded from it stays sealed."""

from typing import Any

from engine.ids import TenantId
from engine.store import sealing
from engine.store.database import Database
from signoff.outcomes import ApprovalEnded


class Opened(str):
    """A text as its person wrote it, which remembers how it is kept."""

    __slots__ = ("kept",)

    kept: str

    def __new__(cls, text: str, *, kept: str) -> "Opened":
        """`text`, which is kept as `kept`."""
        made = super().__new__(cls, text)
        made.kept = kept
        return made


class Texts:
    """Reads what is sealed; nothing is asked where nothing is."""

    def __init__(self, database: Database, tenant: TenantId) -> None:
        self._database, self._tenant = database, tenant

    async def comment(self, kept: str | None) -> str | None:
        """A comment as it was written."""
        if kept is None:
            return None
        text = await self.opened(kept)
        return kept if text == kept else Opened(text, kept=kept)

    async def opened(self, kept: Any) -> Any:
        """`kept`, a text or JSON, with every sealed text in it as it was written."""
        if not sealing.is_sealed(kept):
            return kept
        return await self._database.read(lambda tx: sealing.opened(tx, self._tenant, kept))


def kept(text: str | None) -> str | None:
    """How a text is kept: sealed, if it was opened for the code."""
    return text.kept if isinstance(text, Opened) else text


def sentence(ending: BaseException) -> str:
    """What `ending` says of itself, as it is to be kept."""
    if isinstance(ending, ApprovalEnded):
        return str(type(ending)(ending.approval, comment=kept(ending.comment), by=ending.by))
    return str(ending)
