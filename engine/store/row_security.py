"""What PostgreSQL keeps apart by itself: every tenant's rows, and the few questions that are about everybody's.

A deed says for whom it acts (`signoff.tenant`), and sees and writes that tenant's rows alone, whatever it
asks. Only functions of the tables' owner look further, and only names come out of them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, text

from engine.store.append_only import APPEND_ONLY, PRUNABLE

# Not guarded: what is known of the database as a whole, and which tenants there are.
SHARED: Final = frozenset({"alembic_version", "meta", "tenants"})

_AWAKE: Final = "NOT IN (SELECT t.id FROM tenants t WHERE NOT t.is_active)"
_DELIVERABLE: Final = """
o.status = 'pending' AND o.due_at <= $3 AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= $3)
AND o.tenant <awake>
AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.message = o.message AND b.status = 'pending'
AND (b.created_at, b.id) < (o.created_at, o.id))"""

# Only a superuser may write the setting into a function's definition, and owners often are none.
_AS_EVERYBODY: Final = """
#variable_conflict use_column
DECLARE before text := current_setting('signoff.tenant', true);
BEGIN
PERFORM set_config('signoff.tenant', '*', true);
RETURN QUERY <query>;
PERFORM set_config('signoff.tenant', coalesce(before, ''), true);
END
"""

# What stands for `<awake>` and `<deliverable>` in the bodies below: a tenant that does not rest, and a delivery
# whose turn it is. Name and parameters, what comes out, and the body
FUNCTIONS: Final[Sequence[tuple[str, str, str]]] = (
    (
        "signoff_tenants_of(kind text, value text)",
        "SETOF text",
        """
SELECT k.tenant FROM keys k WHERE $1 = 'key' AND k.id = $2
UNION ALL SELECT s.tenant FROM sessions s WHERE $1 = 'session' AND s.hash = $2
UNION ALL SELECT s.tenant FROM sign_ins s WHERE $1 = 'sign_in' AND s.hash = $2
UNION ALL SELECT s.tenant FROM sign_ins s WHERE $1 = 'device' AND s.device_hash = $2
UNION ALL SELECT l.tenant FROM links l WHERE $1 = 'link' AND l.hash = $2
UNION ALL SELECT a.tenant FROM approvals a WHERE $1 = 'approval' AND a.id = $2
UNION ALL SELECT i.tenant FROM identities i WHERE $1 = 'email' AND i.kind = 'email' AND i.value = $2
UNION ALL SELECT p.tenant FROM people p WHERE $1 = 'person' AND p.id = $2
""",
    ),
    (
        "signoff_ready_runs(at timestamptz, workflows text[], low integer, high integer, most integer)",
        "TABLE (id text, tenant text)",
        """
SELECT r.id, r.tenant FROM runs r
WHERE r.ready_at <= $1 AND (r.lease_expires_at IS NULL OR r.lease_expires_at <= $1)
AND r.workflow || '@' || r.workflow_version = ANY ($2) AND r.tries BETWEEN $3 AND $4
AND r.tenant <awake>
ORDER BY r.ready_at, r.id LIMIT $5 FOR NO KEY UPDATE OF r SKIP LOCKED
""",
    ),
    (
        "signoff_switched(whose text)",
        "TABLE (tenant text, scope text)",
        """
SELECT s.tenant, s.scope FROM switches s WHERE $1 = '*' OR s.tenant = $1 OR s.scope = 'everything'
""",
    ),
    (
        "signoff_suspects(at timestamptz, workflows text[])",
        "TABLE (tries integer)",
        """
SELECT DISTINCT r.tries FROM runs r
WHERE r.ready_at <= $1 AND (r.lease_expires_at IS NULL OR r.lease_expires_at <= $1)
AND r.workflow || '@' || r.workflow_version = ANY ($2) AND r.tries > 0 AND r.tenant <awake>
""",
    ),
    (
        "signoff_owners_of_runs(ids text[])",
        "TABLE (id text, tenant text)",
        "SELECT r.id, r.tenant FROM runs r WHERE r.id = ANY ($1)",
    ),
    (
        "signoff_due_timers(at timestamptz, most integer)",
        "TABLE (id text, tenant text, approval text, rung integer, due_at timestamptz)",
        """
SELECT m.id, m.tenant, m.approval, m.rung, m.due_at FROM timers m
JOIN approvals a ON a.id = m.approval
WHERE m.fired_at IS NULL AND m.cancelled_at IS NULL AND m.due_at <= $1 AND m.tenant <awake>
ORDER BY m.due_at, m.rung LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
""",
    ),
    (
        "signoff_due_cases(at timestamptz, most integer)",
        "TABLE (id text, tenant text)",
        """
SELECT c.id, c.tenant FROM cases c
WHERE c.status IN ('open', 'resolved_provisional', 'in_reconciliation') AND c.expires_at <= $1
AND c.tenant <awake>
ORDER BY c.expires_at, c.id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
""",
    ),
    (
        "signoff_lapsed_claims(at timestamptz, most integer)",
        "TABLE (execution text, tenant text)",
        """
SELECT r.execution, r.tenant FROM receipts r
WHERE r.state = 'claimed' AND r.lease_expires_at <= $1 AND r.tenant <awake>
ORDER BY r.lease_expires_at, r.execution LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
""",
    ),
    (
        "signoff_due_deliveries(channel text, resting text[], at timestamptz, most integer)",
        "TABLE (id text, tenant text)",
        """
WITH RECURSIVE lanes (tenant) AS (
(SELECT o.tenant FROM outbox o WHERE o.channel = $1 AND o.status = 'pending' ORDER BY o.tenant LIMIT 1)
UNION ALL
SELECT (SELECT o.tenant FROM outbox o WHERE o.channel = $1 AND o.status = 'pending'
AND o.tenant > l.tenant ORDER BY o.tenant LIMIT 1) FROM lanes l WHERE l.tenant IS NOT NULL),
turns AS (SELECT due.id, due.due_at,
row_number() OVER (PARTITION BY due.tenant ORDER BY due.due_at, due.id) AS turn
FROM lanes l, LATERAL (SELECT o.id, o.tenant, o.due_at FROM outbox o
WHERE o.channel = $1 AND o.tenant = l.tenant AND o.address <> ALL ($2) AND <deliverable>
ORDER BY o.due_at, o.id LIMIT 4 * $4) due WHERE l.tenant IS NOT NULL)
SELECT o.id, o.tenant FROM outbox o JOIN turns t ON t.id = o.id WHERE <deliverable>
ORDER BY t.turn, t.due_at, t.id LIMIT $4 FOR NO KEY UPDATE OF o SKIP LOCKED
""",
    ),
    (
        "signoff_due_orphans(known text[], unused text[], at timestamptz, most integer)",
        "TABLE (id text, tenant text)",
        """
SELECT o.id, o.tenant FROM outbox o WHERE o.channel <> ALL ($1) AND <deliverable>
ORDER BY o.due_at, o.id LIMIT $4 FOR NO KEY UPDATE OF o SKIP LOCKED
""",
    ),
)


def guard(connection: Connection) -> None:
    """Force every tenant's rows apart, and let the owner's functions answer for everybody. PostgreSQL only."""
    for table in guarded_tables(connection):
        guard_table(connection, table)
    answer_for_everybody(connection)


def answer_for_everybody(connection: Connection) -> None:
    """Make the owner's functions, or make them anew; for migrations that add one. PostgreSQL only."""
    schema = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    for name, gives, short in FUNCTIONS:
        body = short.replace("<deliverable>", _DELIVERABLE).replace("<awake>", _AWAKE)
        lines = (
            f"CREATE OR REPLACE FUNCTION {name} RETURNS {gives} LANGUAGE plpgsql VOLATILE SECURITY DEFINER",
            f"SET search_path = {schema}, pg_temp AS $$",
            _AS_EVERYBODY.replace("<query>", body),
            "$$",
        )
        _run(connection, "\n".join(lines))
        _run(connection, f"REVOKE ALL ON FUNCTION {signature(name)} FROM PUBLIC")


def guard_table(connection: Connection, table: str) -> None:
    """Force every tenant's rows of `table` apart; for tables that a migration adds. PostgreSQL only."""
    owner = connection.execute(text("SELECT quote_ident(current_user)")).scalar_one()
    _run(connection, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    _run(connection, f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    own = "tenant = current_setting('signoff.tenant', true)"
    _run(connection, f"CREATE POLICY tenant_of_the_deed ON {table} USING ({own})")
    every = "current_setting('signoff.tenant', true) = '*'"
    _run(connection, f"CREATE POLICY every_tenant ON {table} TO {owner} USING ({every})")


def guarded_tables(connection: Connection) -> list[str]:
    """Every table of ours that has a tenant."""
    rows = connection.execute(
        text(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant' "
            "AND table_schema = current_schema() ORDER BY table_name"
        )
    )
    return [row.table_name for row in rows]


def grant(connection: Connection, role: str) -> None:
    """Let `role` do what the application does, and no more: no change of tables, nor of what is appended."""
    schema, quoted = connection.execute(
        text("SELECT quote_ident(current_schema()), quote_ident(:role)"), {"role": role}
    ).one()
    for statement in _grants(connection, schema, quoted):
        _run(connection, statement)


def _grants(connection: Connection, schema: str, role: str) -> Iterator[str]:
    yield f"GRANT USAGE ON SCHEMA {schema} TO {role}"
    yield f"GRANT SELECT ON alembic_version TO {role}"
    for table in (*guarded_tables(connection), "meta", "tenants"):
        yield f"REVOKE ALL ON {table} FROM {role}"
        may = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        yield f"GRANT {may} ON {table} TO {role}"
    yield f"GRANT UPDATE (published_at) ON anchors TO {role}"
    yield f"GRANT DELETE ON {', '.join(PRUNABLE)} TO {role}"  # a trigger says what of it
    yield f"GRANT EXECUTE ON FUNCTION signoff_now() TO {role}"
    for name, *_rest in FUNCTIONS:
        yield f"GRANT EXECUTE ON FUNCTION {signature(name)} TO {role}"


def signature(name: str) -> str:
    """A function's name with the types of its parameters alone."""
    called, _, parameters = name.rstrip(")").partition("(")
    types = (each.strip().split(" ", 1)[1] for each in parameters.split(","))
    return f"{called}({', '.join(types)})"


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
