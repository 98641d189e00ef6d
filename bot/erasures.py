"""Who was erased, kept apart from the database: so that a backup that is put back brings nobody back."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.settings import Settings
from engine.errors import Invalid, Unavailable
from engine.ids import PersonId, TenantId
from engine.services import erasing, tenants
from engine.services.erasing import Erased
from engine.store.database import Database, Transaction
from engine.store.sqlite import SqliteDatabase


def erasures_path(settings: Settings) -> Path | None:
    """The file in which erasures are kept, if there is one."""
    if settings.erasure_file is not None or settings.shared_url is not None:
        return settings.erasure_file
    return settings.database_path.with_name(settings.database_path.name + ".erased")


@dataclass(frozen=True, slots=True)
class ErasureFile:
    """Lines of JSON, one for each erasure: the tenant, and the id that is nobody's any more."""

    path: Path

    def read(self) -> list[Erased]:
        """Everybody who was erased; nobody where there is no file.

        Raises:
            Invalid: `bad_erasures`, if a line cannot be read. Unavailable: if the file cannot be.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be read: {error.strerror}.") from None
        return [self._line(line) for line in text.splitlines() if line]

    def keep(self, found: Iterable[Erased]) -> None:
        """Add those of `found` that are not in it.

        Raises:
            Invalid: as `read`. Unavailable: if they cannot be written; the next start tries again.
        """
        known = set(self.read())
        new = [each for each in found if each not in known]
        if not new:
            return
        lines = (json.dumps({"tenant": each.tenant, "person": each.person}) for each in new)
        try:
            self.path.touch(mode=0o600)
            with self.path.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be written: {error.strerror}.") from None

    def _line(self, line: str) -> Erased:
        try:
            said = json.loads(line)
            return Erased(TenantId(str(said["tenant"])), PersonId(str(said["person"])))
        except (ValueError, KeyError, TypeError):
            raise Invalid(
                f"{self.path} has a line that says nothing of an erasure: {line[:60]!a}.",
                code="bad_erasures",
            ) from None


async def keep_outside(
    database: Database, file: ErasureFile | None, *, tenant: TenantId | None = None
) -> None:
    """Bring the file up to what the database knows of one tenant, or of all.

    Raises:
        Invalid, Unavailable: as `ErasureFile.keep`.
    """
    if file is not None:
        file.keep(await database.read(lambda tx: _erased(tx, tenant)))


async def compact(database: Database) -> bool:
    """Leave nothing in a SQLite file of what was deleted; False where that was not possible now."""
    if not isinstance(database, SqliteDatabase):
        return True
    try:
        return await database.compact()
    except Unavailable:
        return False


def _erased(tx: Transaction, tenant: TenantId | None) -> list[Erased]:
    if tenant is not None:
        return erasing.erased(tx, tenant)
    found: list[Erased] = []
    for known in tenants.listing(tx):
        tx.act_for(known.id)
        found += erasing.erased(tx, known.id)
    return found
