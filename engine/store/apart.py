"""PostgreSQL keeps tenants apart itself, where the role that connects does not stand above its rows' policies."""

from asyncio import Future
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import Connection, select, text
from typing_extensions import override

from engine.ids import DEFAULT_TENANT, TenantId
from engine.store.database import Database, Transaction
from engine.store.hints import Hints
from engine.store.tables import tenants

T = TypeVar("T")

_IS_ABOVE = text(
    "SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user"
)
_OTHERS = select(tenants.c.id).where(tenants.c.id != DEFAULT_TENANT).limit(1)


class Guard(StrEnum):
    """Whether policies hold for a role, and whether that matters."""

    IN_FORCE = "in force"
    NOT_NEEDED = "not needed"
    MISSING = "missing"


class OneTenants(Database):
    """A shared database for the deeds of one tenant."""

    def __init__(self, everybodys: Database, tenant: TenantId) -> None:
        self._everybodys, self._tenant = everybodys, tenant

    @property
    @override
    def hints(self) -> Hints:
        return self._everybodys.hints

    @override
    def of(self, tenant: TenantId) -> Database:
        return self._everybodys.of(tenant)

    @override
    def submit(self, deed: Callable[[Transaction], T]) -> Future[T]:
        return self._everybodys.submit(_acting(self._tenant, deed))

    @override
    async def write(
        self, deed: Callable[[Transaction], T], *, within: timedelta | None = None
    ) -> T:
        return await self._everybodys.write(_acting(self._tenant, deed), within=within)

    @override
    async def read(self, query: Callable[[Transaction], T]) -> T:
        return await self._everybodys.read(_acting(self._tenant, query))


def is_above_policies(connection: Connection) -> bool:
    """Whether whoever connected sees every row whatever the policies say."""
    return bool(connection.execute(_IS_ABOVE).scalar_one())


def guard_of(connection: Connection) -> Guard:
    """How far the database itself keeps tenants apart, for whoever connected."""
    if not is_above_policies(connection):
        return Guard.IN_FORCE
    return Guard.MISSING if connection.execute(_OTHERS).first() else Guard.NOT_NEEDED


def _acting(tenant: TenantId, deed: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    def done(tx: Transaction) -> T:
        tx.act_for(tenant)
        return deed(tx)

    return done
