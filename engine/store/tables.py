"""Every table on one page; moments are timestamptz or whole microseconds, JSON is canonical text."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.types import TypeEngine
from typing_extensions import override

from engine.clock import from_micros, micros
from engine.rules.states import ApprovalStatus, RunStatus
from engine.store.row_security import guard

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)


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


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _tenant() -> Column[str]:
    return Column("tenant", Text, nullable=False)


def _text(name: str, *, optional: bool = False, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=optional, server_default=default)


def _whole(name: str, *, default: int | None = None) -> Column[int]:
    return Column(
        name, Integer, nullable=False, server_default=None if default is None else str(default)
    )


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _moment(name: str, *, optional: bool = False) -> Column[datetime]:
    return Column(name, Moment, nullable=optional)


def _known(
    column: str, names: type[RunStatus] | type[ApprovalStatus] | tuple[str, ...]
) -> CheckConstraint:
    allowed = ", ".join(f"'{name}'" for name in names)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


def _index_where(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(
        name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where)
    )


# What is inside a run is told to those who watch that run, and found by its position.
NEWS = (
    "kind NOT IN ('step.begun', 'step.finished', 'step.failed', 'step.retry_scheduled', "
    "'step.retried', 'value.recorded', 'checkpoint.created', 'sleep.started', 'sleep.ended', "
    "'approval.consumed', 'compensation.begun', 'compensation.finished', 'compensation.failed')"
)

meta = Table("meta", metadata, Column("key", Text, primary_key=True), _text("value"))
tenants = Table(
    "tenants", metadata, _id(), _text("name"), _flag("is_active"), _text("origin"), _moment("created_at"),
)  # fmt: skip

people = Table(
    "people", metadata, _tenant(), _text("id"), _text("name"), _text("email", optional=True),
    _text("timezone", optional=True), _text("hours", optional=True), _text("manager", optional=True),
    _flag("is_active"), _text("origin"), PrimaryKeyConstraint("tenant", "id"),
)  # fmt: skip
identities = Table(
    "identities", metadata, _tenant(), _text("kind"), _text("value"), _text("person"), _text("origin"),
    PrimaryKeyConstraint("tenant", "kind", "value"), Index(None, "tenant", "person"),
    ForeignKeyConstraint(["tenant", "person"], ["people.tenant", "people.id"]),
)  # fmt: skip
members = Table(
    "members", metadata, _tenant(), _text("kind"), _text("name"), _text("person"), _text("origin"),
    _known("kind", ("group", "role")), PrimaryKeyConstraint("tenant", "kind", "name", "person"),
    ForeignKeyConstraint(["tenant", "person"], ["people.tenant", "people.id"]),
)  # fmt: skip
routings = Table(
    "routings", metadata, _tenant(), _text("name"), _text("routing"), _text("origin"),
    PrimaryKeyConstraint("tenant", "name"),
)  # fmt: skip

runs = Table(
    "runs", metadata, _id(), _tenant(), _text("workflow"), _text("workflow_version"),
    _text("status"), _text("reason", optional=True), _text("awaits", optional=True),
    _text("input"), _text("result", optional=True), _text("error", optional=True),
    _text("started_by"), _text("owner", optional=True), _whole("next_position"), _text("head"),
    _moment("ready_at", optional=True), _text("lease_token", optional=True), _text("lease_holder", optional=True),
    _moment("lease_expires_at", optional=True), _moment("created_at"), _moment("updated_at"),
    _moment("ended_at", optional=True), _whole("tries", default=0),
    _known("status", RunStatus), Index("ix_runs_page", "tenant", "created_at", "id"),
    _index_where("ix_runs_ready", "ready_at", where="ready_at IS NOT NULL"),
)  # fmt: skip
journal = Table(
    "journal", metadata, _tenant(), _text("run"), _whole("position"), _text("kind"), _text("name", optional=True),
    _text("path", optional=True), _text("data"), _moment("at"), _text("previous"), _text("hash"),
    PrimaryKeyConstraint("run", "position"), ForeignKeyConstraint(["run"], ["runs.id"]),
    _index_where("ix_journal_news", "tenant", "at", where=NEWS), sqlite_with_rowid=False,
)  # fmt: skip
audit = Table(
    "audit", metadata, _tenant(), _whole("position"), _text("kind"), _text("data"), _moment("at"),
    _text("previous"), _text("hash"), PrimaryKeyConstraint("tenant", "position"), sqlite_with_rowid=False,
)  # fmt: skip
artifacts = Table(
    "artifacts", metadata, _tenant(), _text("hash"), _text("media_type"),
    Column("content", LargeBinary, nullable=False), _moment("at"), PrimaryKeyConstraint("tenant", "hash"),
)  # fmt: skip
checkpoints = Table(
    "checkpoints", metadata, _tenant(), _text("run"), _whole("position"), _text("name"), _text("artifact"),
    _moment("at"), PrimaryKeyConstraint("run", "position"), ForeignKeyConstraint(["run"], ["runs.id"]),
)  # fmt: skip

approvals = Table(
    "approvals", metadata, _id(), _tenant(), _text("run"), _text("path"), _text("status"), _whole("version"),
    _text("kind"), _text("action"), _text("title"), _text("risk"), _text("content"), _text("digest"),
    _text("requester"), _text("excluded"), _text("routing"), _text("callback_url", optional=True),
    _text("ladder"), _text("widened"), _text("decision", optional=True), _text("on_reject"),
    _moment("opened_at"), _moment("expires_at", optional=True), _moment("ended_at", optional=True),
    _moment("consumed_at", optional=True),
    _known("status", ApprovalStatus), ForeignKeyConstraint(["run"], ["runs.id"]), UniqueConstraint("run", "path"),
    Index("ix_approvals_page", "tenant", "status", "opened_at", "id"),
)  # fmt: skip
versions = Table(
    "versions", metadata, _tenant(), _text("approval"), _whole("version"), _text("content"), _text("digest"),
    _text("edited_by"), _moment("at"), PrimaryKeyConstraint("approval", "version"),
    ForeignKeyConstraint(["approval"], ["approvals.id"]),
)  # fmt: skip
votes = Table(
    "votes", metadata, _id(), _tenant(), _text("approval"), _whole("version"), _whole("sequence"), _text("person"),
    _text("choice"), _text("comment", optional=True), _text("digest"), _text("channel"), _text("identified_by"),
    _flag("is_late"), _flag("is_current"), _moment("at"),
    _known("choice", ("approve", "reject", "request_changes", "abstain")),
    ForeignKeyConstraint(["approval"], ["approvals.id"]), UniqueConstraint("approval", "sequence"),
    _index_where("uq_votes_one_each", "approval", "version", "person", where="is_current", unique=True),
)  # fmt: skip
timers = Table(
    "timers", metadata, _id(), _tenant(), _text("approval"), _whole("rung"), _moment("due_at"),
    _moment("fired_at", optional=True), _moment("cancelled_at", optional=True),
    ForeignKeyConstraint(["approval"], ["approvals.id"]), Index(None, "approval"),
    _index_where("ix_timers_due", "due_at", where="fired_at IS NULL AND cancelled_at IS NULL"),
)  # fmt: skip

messages = Table(
    "messages", metadata, _id(), _tenant(), _text("approval"), _text("channel"), _text("address"),
    _text("person", optional=True), _whole("serial"), _text("state"), _text("ref", optional=True),
    _text("shown", optional=True), _text("left_out", optional=True), _whole("shown_version", default=0),
    _known("state", ("planned", "posted", "gone", "dead", "withdrawn")),
    ForeignKeyConstraint(["approval"], ["approvals.id"]), UniqueConstraint("approval", "channel", "address"),
)  # fmt: skip
outbox = Table(
    "outbox", metadata, _id(), _tenant(), _text("message", optional=True), _text("channel"), _text("address"),
    _text("kind"), _text("event"), _text("payload"), _moment("event_at"), _moment("due_at"), _whole("attempts"),
    _text("status"), _text("error", optional=True), _text("lease_token", optional=True),
    _moment("lease_expires_at", optional=True), _moment("created_at"), _moment("ended_at", optional=True),
    _known("kind", ("post", "update", "tell")), _known("status", ("pending", "sent", "dead", "dropped")),
    Index("ix_outbox_message", "message", "status"),
    _index_where("ix_outbox_due", "due_at", where="status = 'pending'"),
    _index_where("ix_outbox_lanes", "channel", "tenant", "due_at", where="status = 'pending'"),
)  # fmt: skip
inbox = Table(
    "inbox", metadata, _tenant(), _text("source"), _text("key"), _moment("keep_until"),
    PrimaryKeyConstraint("tenant", "source", "key"), Index(None, "keep_until"),
)  # fmt: skip

keys = Table(
    "keys", metadata, _id(), _tenant(), _text("name"), _text("hash"), _text("scopes"), _text("owner", optional=True),
    _moment("created_at"), _moment("expires_at", optional=True), _moment("last_used_at", optional=True),
    _moment("revoked_at", optional=True),
)  # fmt: skip
sessions = Table(
    "sessions", metadata, Column("hash", Text, primary_key=True), _tenant(), _text("person"), _text("kind"),
    _moment("created_at"), _moment("seen_at"), _moment("expires_at"), _moment("ended_at", optional=True),
    _known("kind", ("browser", "terminal")),
)  # fmt: skip
sign_ins = Table(
    "sign_ins", metadata, Column("hash", Text, primary_key=True), _tenant(), _text("person"), _text("kind"),
    _text("device_hash", optional=True), _moment("expires_at"), _moment("used_at", optional=True),
    Index(None, "device_hash"),
)  # fmt: skip
links = Table(
    "links", metadata, Column("hash", Text, primary_key=True), _tenant(), _text("approval"), _whole("version"),
    _text("person"), _moment("revoked_at", optional=True), Index(None, "approval"),
)  # fmt: skip
nonces = Table(
    "nonces", metadata, _tenant(), Column("hash", Text, primary_key=True), _text("link"), _moment("expires_at"),
    _moment("used_at", optional=True),
)  # fmt: skip
idempotency = Table(
    "idempotency", metadata, _tenant(), _text("caller"), _text("key"), _text("fingerprint"), _text("answer"),
    _moment("at"), PrimaryKeyConstraint("tenant", "caller", "key"), Index(None, "at"),
)  # fmt: skip


@event.listens_for(metadata, "after_create")
def _make_what_is_no_table(_made: MetaData, connection: Connection, **_options: object) -> None:
    # What several machines go by. Only tests write the offset.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION signoff_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            "$$ SELECT clock_timestamp() + coalesce((SELECT value::interval FROM meta "
            "WHERE key = 'clock_offset'), interval '0') $$"
        )
        guard(connection)
