"""What tables are made of: columns, checks and partial indexes that mean the same on both databases."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    Select,
    Text,
    TypeDecorator,
    func,
    select,
    text,
)
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from engine.clock import from_micros, micros
from engine.rules.states import ApprovalStatus, RunStatus

# What constraints and indexes are called, on both databases.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment that sorts and survives the round trip on both databases."""

    impl = BigInteger
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        native = DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger()
        return dialect.type_descriptor(native)

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else micros(value)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return value if value is None or dialect.name == "postgresql" else from_micros(value)


def own_id() -> Column[str]:
    """What a row is known by."""
    return Column("id", Text, primary_key=True)


def of_tenant() -> Column[str]:
    """Whose a row is; every table has it."""
    return Column("tenant", Text, nullable=False)


def words(name: str, *, optional: bool = False, default: str | None = None) -> Column[str]:
    """A text."""
    return Column(name, Text, nullable=optional, server_default=default)


def whole(name: str, *, default: int | None = None, optional: bool = False) -> Column[int]:
    """A whole number."""
    return Column(
        name, Integer, nullable=optional, server_default=None if default is None else str(default)
    )


def large(name: str) -> Column[int]:
    """A whole number of up to 63 bits."""
    return Column(name, BigInteger, nullable=False)


def flag(name: str) -> Column[bool]:
    """Yes or no."""
    return Column(name, Boolean, nullable=False)


def moment(name: str, *, optional: bool = False) -> Column[datetime]:
    """A moment in UTC."""
    return Column(name, Moment, nullable=optional)


def known(
    column: str, names: type[RunStatus] | type[ApprovalStatus] | tuple[str, ...]
) -> CheckConstraint:
    """A text that is one of `names`."""
    allowed = ", ".join(f"'{name}'" for name in names)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def index_where(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over some rows only, on both databases."""
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )


def and_the_moment(locking: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """What `locking` gives, and the database's `moment`, told once the rows are held."""
    held = locking.subquery()
    return select(held, func.signoff_now(type_=Moment()).label("moment"))
