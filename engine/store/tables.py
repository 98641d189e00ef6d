"""Every table on one page; moments are timestamptz or whole microseconds, JSON is canonical text."""

from sqlalchemy import (
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    event,
)

from engine.rules.cases import CaseStatus
from engine.rules.states import ApprovalStatus, RunStatus
from engine.store.append_only import keep_what_is_appended
from engine.store.columns import (
    NAMES,
    flag,
    index_where,
    known,
    large,
    moment,
    of_tenant,
    own_id,
    whole,
    words,
)
from engine.store.row_security import guard
from engine.store.whom import whom

metadata = MetaData(naming_convention=NAMES)
CASES_DUE = "status IN ('open', 'resolved_provisional', 'in_reconciliation')"
# What is inside a run is told to those who watch that run, and found by its position.
NEWS = (
    "kind NOT IN ('step.begun', 'step.finished', 'step.failed', 'step.retry_scheduled', "
    "'step.retried', 'value.recorded', 'checkpoint.created', 'sleep.started', 'sleep.ended', "
    "'approval.consumed', 'compensation.begun', 'compensation.finished', 'compensation.failed')"
)

meta = Table("meta", metadata, Column("key", Text, primary_key=True), words("value"))
tenants = Table(
    "tenants", metadata, own_id(), words("name"), flag("is_active"), words("origin"), moment("created_at"),
)  # fmt: skip
people = Table(
    "people", metadata, of_tenant(), words("id"), words("name"), words("email", optional=True),
    words("timezone", optional=True), words("hours", optional=True), words("manager", optional=True),
    flag("is_active"), words("origin"), PrimaryKeyConstraint("tenant", "id"),
)  # fmt: skip
identities = Table(
    "identities", metadata, of_tenant(), words("kind"), words("value"), words("person"), words("origin"),
    PrimaryKeyConstraint("tenant", "kind", "value"), Index(None, "tenant", "person"),
    ForeignKeyConstraint(["tenant", "person"], ["people.tenant", "people.id"]),
)  # fmt: skip
members = Table(
    "members", metadata, of_tenant(), words("kind"), words("name"), words("person"), words("origin"),
    known("kind", ("group", "role")), PrimaryKeyConstraint("tenant", "kind", "name", "person"),
    ForeignKeyConstraint(["tenant", "person"], ["people.tenant", "people.id"]),
)  # fmt: skip
# What a person wrote is sealed under a key of theirs, wrapped by the server's secret; to forget them is to lose it.
subject_keys = Table(
    "subject_keys", metadata, of_tenant(), words("id"), words("person"), words("wrapped", optional=True),
    moment("made_at"), moment("destroyed_at", optional=True), PrimaryKeyConstraint("tenant", "id"),
    Index(None, "tenant", "person"),
)  # fmt: skip
erasures = Table(
    "erasures", metadata, of_tenant(), words("person"), moment("at"), PrimaryKeyConstraint("tenant", "person"),
)  # fmt: skip
legal_holds = Table(
    "legal_holds", metadata, of_tenant(), words("scope"), words("reason"), words("placed_by"), moment("placed_at"),
    PrimaryKeyConstraint("tenant", "scope"),
)  # fmt: skip
routings = Table(
    "routings", metadata, of_tenant(), words("name"), words("routing"), words("origin"),
    PrimaryKeyConstraint("tenant", "name"),
)  # fmt: skip

runs = Table(
    "runs", metadata, own_id(), of_tenant(), words("workflow"), words("workflow_version"),
    words("status"), words("reason", optional=True), words("awaits", optional=True),
    words("input"), words("result", optional=True), words("error", optional=True),
    words("started_by"), words("owner", optional=True), whole("next_position"), words("head"),
    moment("ready_at", optional=True), words("lease_token", optional=True), words("lease_holder", optional=True),
    moment("lease_expires_at", optional=True), moment("created_at"), moment("updated_at"),
    moment("ended_at", optional=True), whole("tries", default=0), words("reserved", optional=True),
    words("parent", optional=True), words("parent_path", optional=True), words("root", optional=True),
    words("notify", optional=True), words("sandbox", optional=True), known("status", RunStatus),
    Index("ix_runs_page", "tenant", "created_at", "id"),
    index_where("ix_runs_ready", "ready_at", where="ready_at IS NOT NULL"),
    index_where("ix_runs_halted", "tenant", where="reason = 'halted'"),
    index_where("ix_runs_paused", "tenant", where="status = 'paused'"),
    index_where("ix_runs_tree", "root", where="root IS NOT NULL"),
)  # fmt: skip
journal = Table(
    "journal", metadata, of_tenant(), words("run"), whole("position"), words("kind"), words("name", optional=True),
    words("path", optional=True), words("data"), moment("at"), words("previous"), words("hash"),
    PrimaryKeyConstraint("run", "position"), ForeignKeyConstraint(["run"], ["runs.id"]),
    index_where("ix_journal_news", "tenant", "at", where=NEWS), sqlite_with_rowid=False,
)  # fmt: skip
audit = Table(
    "audit", metadata, of_tenant(), whole("position"), words("kind"), words("data"), moment("at"),
    words("previous"), words("hash"), PrimaryKeyConstraint("tenant", "position"), sqlite_with_rowid=False,
)  # fmt: skip
anchors = Table(
    "anchors", metadata, of_tenant(), whole("number"), words("statement"), words("signature"), moment("at"),
    moment("published_at", optional=True), PrimaryKeyConstraint("tenant", "number"),
)  # fmt: skip
anchored = Table(
    "anchored", metadata, of_tenant(), whole("anchor"), words("chain"), whole("position"), words("hash"),
    PrimaryKeyConstraint("tenant", "anchor", "chain"), Index(None, "tenant", "chain", "position"),
    ForeignKeyConstraint(["tenant", "anchor"], ["anchors.tenant", "anchors.number"]), sqlite_with_rowid=False,
)  # fmt: skip
# What was pruned of a chain: a signed summary, and only what it is of may be deleted.
segments = Table(
    "segments", metadata, of_tenant(), words("chain"), whole("first"), whole("last"), words("statement"),
    words("signature"), moment("at"), PrimaryKeyConstraint("tenant", "chain", "first"),
)  # fmt: skip
prunings = Table(
    "prunings", metadata, of_tenant(), words("run"), moment("payload_at"), moment("record_at", optional=True),
    PrimaryKeyConstraint("tenant", "run"), ForeignKeyConstraint(["run"], ["runs.id"]),
)  # fmt: skip
artifacts = Table(
    "artifacts", metadata, of_tenant(), words("hash"), words("media_type"),
    Column("content", LargeBinary, nullable=False), moment("at"), PrimaryKeyConstraint("tenant", "hash"),
)  # fmt: skip
checkpoints = Table(
    "checkpoints", metadata, of_tenant(), words("run"), whole("position"), words("name"), words("artifact"),
    moment("at"), PrimaryKeyConstraint("run", "position"), ForeignKeyConstraint(["run"], ["runs.id"]),
)  # fmt: skip

approvals = Table(
    "approvals", metadata, own_id(), of_tenant(), words("run"), words("path"), words("status"), whole("version"),
    words("kind"), words("action"), words("title"), words("risk"), words("content"), words("digest"),
    words("requester"), words("excluded"), words("routing"), words("callback_url", optional=True),
    words("ladder"), words("widened"), words("decision", optional=True), words("on_reject"),
    moment("opened_at"), moment("expires_at", optional=True), moment("ended_at", optional=True),
    moment("consumed_at", optional=True), words("asked_by", optional=True),
    known("status", ApprovalStatus), ForeignKeyConstraint(["run"], ["runs.id"]), UniqueConstraint("run", "path"),
    index_where("ix_approvals_asked_by", "asked_by", "status", "tenant", where="status = 'open'"),
    Index("ix_approvals_page", "tenant", "status", "opened_at", "id"),
    Index("ix_approvals_whom", "tenant", "status", whom, "expires_at", "id", "excluded"),
)  # fmt: skip
versions = Table(
    "versions", metadata, of_tenant(), words("approval"), whole("version"), words("content"), words("digest"),
    words("edited_by"), moment("at"), PrimaryKeyConstraint("approval", "version"),
    ForeignKeyConstraint(["approval"], ["approvals.id"]),
)  # fmt: skip
votes = Table(
    "votes", metadata, own_id(), of_tenant(), words("approval"), whole("version"), whole("sequence"), words("person"),
    words("choice"), words("comment", optional=True), words("digest"), words("channel"), words("identified_by"),
    flag("is_late"), flag("is_current"), moment("at"), words("changes", optional=True),
    known("choice", ("approve", "reject", "request_changes", "abstain")), Index(None, "approval", "person"),
    ForeignKeyConstraint(["approval"], ["approvals.id"]), UniqueConstraint("approval", "sequence"),
    index_where("uq_votes_one_each", "approval", "version", "person", where="is_current", unique=True),
)  # fmt: skip
timers = Table(
    "timers", metadata, own_id(), of_tenant(), words("approval"), whole("rung"), moment("due_at"),
    moment("fired_at", optional=True), moment("cancelled_at", optional=True),
    ForeignKeyConstraint(["approval"], ["approvals.id"]), Index(None, "approval"),
    index_where("ix_timers_due", "due_at", "rung", where="fired_at IS NULL AND cancelled_at IS NULL"),
)  # fmt: skip

messages = Table(
    "messages", metadata, own_id(), of_tenant(), words("approval"), words("channel"), words("address"),
    words("person", optional=True), whole("serial"), words("state"), words("ref", optional=True),
    words("shown", optional=True), words("left_out", optional=True), whole("shown_version", default=0),
    known("state", ("planned", "posted", "gone", "dead", "withdrawn")),
    ForeignKeyConstraint(["approval"], ["approvals.id"]), UniqueConstraint("approval", "channel", "address"),
)  # fmt: skip
outbox = Table(
    "outbox", metadata, own_id(), of_tenant(), words("message", optional=True), words("channel"), words("address"),
    words("kind"), words("event"), words("payload"), moment("event_at"), moment("due_at"), whole("attempts"),
    words("status"), words("error", optional=True), words("lease_token", optional=True),
    moment("lease_expires_at", optional=True), moment("created_at"), moment("ended_at", optional=True),
    known("kind", ("post", "update", "tell")), known("status", ("pending", "sent", "dead", "dropped")),
    Index("ix_outbox_message", "message", "status"),
    index_where("ix_outbox_due", "due_at", where="status = 'pending'"),
    index_where("ix_outbox_lanes", "channel", "tenant", "due_at", where="status = 'pending'"),
)  # fmt: skip
inbox = Table(
    "inbox", metadata, of_tenant(), words("source"), words("key"), moment("keep_until"),
    PrimaryKeyConstraint("tenant", "source", "key"), Index(None, "keep_until"),
)  # fmt: skip

definitions = Table(
    "definitions", metadata, of_tenant(), words("name"), words("version"), words("body"), words("source"),
    words("needs"), whole("serial"), words("added_by"), moment("added_at"),
    PrimaryKeyConstraint("tenant", "name", "version"),
)  # fmt: skip
switches = Table(
    "switches", metadata, of_tenant(), words("scope"), words("reason"), words("engaged_by"), moment("engaged_at"),
    words("release_asked_by", optional=True), moment("release_asked_at", optional=True),
    PrimaryKeyConstraint("tenant", "scope"),
)  # fmt: skip

keys = Table(
    "keys", metadata, own_id(), of_tenant(), words("name"), words("hash"), words("scopes"),
    words("owner", optional=True), moment("created_at"), moment("expires_at", optional=True),
    moment("last_used_at", optional=True), moment("revoked_at", optional=True), words("made_by", optional=True),
)  # fmt: skip
sessions = Table(
    "sessions", metadata, Column("hash", Text, primary_key=True), of_tenant(), words("person"), words("kind"),
    moment("created_at"), moment("seen_at"), moment("expires_at"), moment("ended_at", optional=True),
    known("kind", ("browser", "terminal")),
)  # fmt: skip
sign_ins = Table(
    "sign_ins", metadata, Column("hash", Text, primary_key=True), of_tenant(), words("person"), words("kind"),
    words("device_hash", optional=True), moment("expires_at"), moment("used_at", optional=True),
    Index(None, "device_hash"),
)  # fmt: skip
links = Table(
    "links", metadata, Column("hash", Text, primary_key=True), of_tenant(), words("approval"), whole("version"),
    words("person"), moment("revoked_at", optional=True), Index(None, "approval"),
)  # fmt: skip
nonces = Table(
    "nonces", metadata, of_tenant(), Column("hash", Text, primary_key=True), words("link"), moment("expires_at"),
    moment("used_at", optional=True),
)  # fmt: skip
idempotency = Table(
    "idempotency", metadata, of_tenant(), words("caller"), words("key"), words("fingerprint"), words("answer"),
    moment("at"), PrimaryKeyConstraint("tenant", "caller", "key"), Index(None, "at"),
)  # fmt: skip

receipts = Table(
    "receipts", metadata, of_tenant(), words("namespace"), words("request_id"), words("execution"),
    words("fingerprint"), words("action"), words("payload"), words("effect", optional=True),
    words("same_as", optional=True), words("approval", optional=True), words("state"),
    words("result", optional=True), words("artifact", optional=True), words("error", optional=True),
    words("claimed_by"), words("token", optional=True), moment("lease_expires_at", optional=True),
    whole("attempts"), words("settled_by", optional=True), words("reason", optional=True),
    moment("created_at"), moment("updated_at"), words("settles", optional=True), whole("told", optional=True),
    words("spent", optional=True),
    known("state", ("claimed", "succeeded", "failed_no_effect", "unknown", "alias")),
    PrimaryKeyConstraint("tenant", "namespace", "request_id"),
    index_where("uq_receipts_effect", "tenant", "namespace", "effect", where="effect IS NOT NULL", unique=True),
    index_where("uq_receipts_settles", "tenant", "settles", where="settles IS NOT NULL", unique=True),
    Index("ix_receipts_execution", "tenant", "execution"),
    index_where("ix_receipts_approval", "tenant", "approval", where="approval IS NOT NULL"),
    index_where("ix_receipts_claimed", "lease_expires_at", where="state = 'claimed'"),
    Index("ix_receipts_page", "tenant", "created_at", "execution"),
)  # fmt: skip
cases = Table(
    "cases", metadata, own_id(), of_tenant(), words("title"), words("outcomes"), whole("enough"),
    whole("sources"), flag("collected"), words("otherwise"), words("approvers"), words("status"),
    words("outcome", optional=True), words("decision", optional=True), words("asked_in", optional=True),
    flag("is_unanswered"), words("opened_by"), words("owner", optional=True), words("settlement", optional=True),
    moment("opened_at"), moment("updated_at"), moment("settled_at", optional=True),
    moment("expires_at", optional=True), words("given_up", optional=True),
    known("status", tuple(CaseStatus)), Index("ix_cases_page", "tenant", "opened_at", "id"),
    index_where("ix_cases_due", "expires_at", where=CASES_DUE),
)  # fmt: skip
signals = Table(
    "signals", metadata, of_tenant(), words("case_id"), words("id"), whole("sequence"), words("source"),
    words("outcome"), whole("confidence"), words("meta"), words("reported_by"), words("owner", optional=True),
    flag("is_current"), flag("is_late"), moment("received_at"), PrimaryKeyConstraint("case_id", "id"),
    ForeignKeyConstraint(["case_id"], ["cases.id"]), UniqueConstraint("case_id", "sequence"),
    index_where("uq_signals_one_each", "case_id", "source", where="is_current", unique=True),
)  # fmt: skip
breakers = Table(
    "breakers", metadata, of_tenant(), words("target"), whole("failures"), whole("trips"),
    moment("failed_at", optional=True), moment("open_until", optional=True), moment("trial_until", optional=True),
    PrimaryKeyConstraint("tenant", "target"),
)  # fmt: skip
reuses = Table(
    "reuses", metadata, of_tenant(), words("key"), words("result"), words("cost"), words("run"),
    moment("made_at"), moment("keep_until"), PrimaryKeyConstraint("tenant", "key"),
    Index(None, "tenant", "keep_until"),
)  # fmt: skip
budgets = Table(
    "budgets", metadata, own_id(), of_tenant(), words("scope"), words("per"), words("limits"), words("then"),
    words("enforce"), words("more", optional=True), words("approvers"), flag("is_active"), words("origin"),
    moment("set_at"), UniqueConstraint("tenant", "scope", "per"),
)  # fmt: skip
budget_revisions = Table(
    "budget_revisions", metadata, of_tenant(), words("revision"), PrimaryKeyConstraint("tenant"),
)  # fmt: skip
usages = Table(
    "usages", metadata, of_tenant(), words("budget"), words("period"), words("unit"), large("cap"),
    large("granted"), large("reserved"), large("spent"), whole("warned"), moment("starts_at", optional=True),
    moment("ends_at", optional=True), PrimaryKeyConstraint("budget", "period", "unit"),
    ForeignKeyConstraint(["budget"], ["budgets.id"]),
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
    keep_what_is_appended(connection)
