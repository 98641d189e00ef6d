"""The written workflows that this process can drive: what the database has, as far as its functions are here."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, overload

import structlog
from typing_extensions import override

from engine.errors import Invalid
from engine.ids import TenantId
from engine.runtime.definitions.offered import Offered
from engine.runtime.definitions.programs import workflow_of
from engine.services import definitions
from engine.services.definitions import DefinitionRow
from engine.store.database import Database
from engine.store.leases import pin
from signoff.registry import Workflow

NOTHING: Final = "nothing was read yet"

log = structlog.get_logger("engine.definitions")

_Known = dict[TenantId, dict[str, dict[str, DefinitionRow]]]


class Held:
    """Every tenant's definitions, as they were when the database was last looked at."""

    def __init__(self, authored: Mapping[str, Workflow]) -> None:
        self._authored = authored
        self._stamp: str | None = NOTHING
        self._known: _Known = {}
        self._pins: list[str] = []
        self._workflow = lru_cache(maxsize=256)(self._made)

    @property
    def pins(self) -> list[str]:
        """Every version whose runs may be claimed: all that they name can be called here."""
        return self._pins

    async def refresh(self, database: Database) -> None:
        """Look whether anything was added since, by whomever, and know it from now on."""
        stamp = await database.read(definitions.stamp)
        if stamp == self._stamp:
            return
        rows = await database.read(definitions.everybodys)
        known: _Known = defaultdict(lambda: defaultdict(dict))
        for row in rows:
            known[row.tenant][row.name][row.version] = row
        self._known, self._stamp = known, stamp
        self._pins = sorted({pin(row.name, row.version) for row in rows if self._is_here(row)})

    def offered(self, tenant: TenantId) -> Offered:
        """What a definition of this tenant may name."""
        newest = ((name, _newest(each)) for name, each in self._known.get(tenant, {}).items())
        return Offered(
            authored=self._authored, children={name: row.children for name, row in newest}
        )

    def names(self, tenant: TenantId) -> list[str]:
        """What this tenant's definitions are called."""
        return sorted(self._known.get(tenant, {}))

    def find(self, tenant: TenantId, name: str, version: str | None) -> Workflow | None:
        """The workflow of that version, or of the newest; None if there is none."""
        versions = self._known.get(tenant, {}).get(name, {})
        row = versions.get(version) if version else _newest(versions) if versions else None
        return None if row is None else self._workflow(row.body, row.version, tenant)

    def _made(self, body: str, version: str, tenant: TenantId) -> Workflow:
        return workflow_of(body, version, self.offered(tenant))

    def _is_here(self, row: DefinitionRow) -> bool:
        try:
            for name in row.functions:
                self.offered(row.tenant).function(name)
            self._workflow(row.body, row.version, row.tenant)
        except (Invalid, ValueError) as error:
            log.warning("definition.not_held", name=row.name, version=row.version, why=str(error))
            return False
        return True


class Pins(Sequence[str]):
    """What may be claimed, asked anew whenever somebody looks."""

    def __init__(self, ask: Callable[[], Sequence[str]]) -> None:
        self._ask = ask

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    @override
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._ask()[index]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._ask())

    @override
    def __len__(self) -> int:
        return len(self._ask())


def _newest(versions: Mapping[str, DefinitionRow]) -> DefinitionRow:
    return list(versions.values())[-1]
