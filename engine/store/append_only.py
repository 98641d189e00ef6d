"""What is appended stays: triggers on both databases that refuse every other change of it.

They cost a new entry nothing. Whoever may change the schema can take them away; the anchors tell.
"""

from collections.abc import Collection, Iterator
from typing import Final

from sqlalchemy import Connection

# Each with the columns that never change afterwards; all of them, where none are named.
APPEND_ONLY: Final = {
    "journal": "",
    "audit": "",
    "anchors": "tenant, number, statement, signature, at",
    "anchored": "",
    "segments": "",
}
# What may be deleted once a segment stands for it, by the column that names its chain.
PRUNABLE: Final = {"journal": "<row>.run", "audit": "'audit'"}
_STANDS: Final = """
EXISTS (SELECT 1 FROM segments s WHERE s.tenant = <row>.tenant AND s.chain = <chain>
AND <row>.position BETWEEN s.first AND s.last)"""
_REFUSED: Final = "what is appended stays"

_REFUSE: Final = f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
_STAYS: Final = "EXECUTE FUNCTION signoff_stays()"
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION signoff_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'insufficient_privilege'; END $$
"""


def keep_what_is_appended(
    connection: Connection,
    tables: Collection[str] = tuple(APPEND_ONLY),
    *,
    prunable: Collection[str] = tuple(PRUNABLE),
) -> None:
    """Let nobody update or delete a row of the journal, the audit, their anchors and segments by accident.

    What a segment stands for may be deleted, and nothing else.
    """
    is_postgres = connection.dialect.name == "postgresql"
    if is_postgres:
        connection.exec_driver_sql(_FUNCTION)
    for table in tables:
        stands = table in prunable
        found = (
            _on_postgres(table, may_be_pruned=stands)
            if is_postgres
            else _on_sqlite(table, may_be_pruned=stands)
        )
        for statement in found:
            connection.exec_driver_sql(statement)


def keep_but_what_is_pruned(connection: Connection) -> None:
    """For a database whose triggers refuse to delete anything: let what a segment stands for go."""
    is_postgres = connection.dialect.name == "postgresql"
    for table in PRUNABLE:
        on = f" ON {table}" if is_postgres else ""
        connection.exec_driver_sql(f"DROP TRIGGER {table}_is_not_deleted{on}")
        for statement in _pruned_on_postgres(table) if is_postgres else _pruned_on_sqlite(table):
            connection.exec_driver_sql(statement)
    keep_what_is_appended(connection, ["segments"])


def _stands(table: str, row: str) -> str:
    return _STANDS.replace("<chain>", PRUNABLE[table]).replace("<row>", row)


def _on_sqlite(table: str, *, may_be_pruned: bool) -> Iterator[str]:
    of = f" OF {APPEND_ONLY[table]}" if APPEND_ONLY[table] else ""
    yield f"CREATE TRIGGER {table}_is_not_changed BEFORE UPDATE{of} ON {table} {_REFUSE}"
    if may_be_pruned:
        yield from _pruned_on_sqlite(table)
    else:
        yield f"CREATE TRIGGER {table}_is_not_deleted BEFORE DELETE ON {table} {_REFUSE}"


def _pruned_on_sqlite(table: str) -> Iterator[str]:
    yield (
        f"CREATE TRIGGER {table}_is_not_deleted BEFORE DELETE ON {table} "
        f"WHEN NOT {_stands(table, 'OLD')} {_REFUSE}"
    )


def _on_postgres(table: str, *, may_be_pruned: bool) -> Iterator[str]:
    of = f" OF {APPEND_ONLY[table]}" if APPEND_ONLY[table] else ""
    row, whole = f"ON {table} FOR EACH ROW {_STAYS}", f"ON {table} FOR EACH STATEMENT {_STAYS}"
    yield f"CREATE TRIGGER {table}_is_not_changed BEFORE UPDATE{of} {row}"
    yield f"CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE {whole}"
    if may_be_pruned:
        yield from _pruned_on_postgres(table)
    else:
        yield f"CREATE TRIGGER {table}_is_not_deleted BEFORE DELETE {row}"


def _pruned_on_postgres(table: str) -> Iterator[str]:
    yield (
        f"CREATE OR REPLACE FUNCTION signoff_{table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF {_stands(table, 'OLD')} THEN RETURN OLD; END IF; RAISE EXCEPTION '{_REFUSED}' "
        "USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    yield (
        f"CREATE TRIGGER {table}_is_not_deleted BEFORE DELETE ON {table} FOR EACH ROW "
        f"EXECUTE FUNCTION signoff_{table}_stays()"
    )
