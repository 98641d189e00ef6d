"""What is appended stays: triggers on both databases that refuse every other change of it.

They cost a new entry nothing. Whoever may change the schema can take them away; the anchors tell.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

# Each with the columns that never change afterwards; all of them, where none are named.
APPEND_ONLY: Final = {
    "journal": "",
    "audit": "",
    "anchors": "tenant, number, statement, signature, at",
    "anchored": "",
}
_REFUSED: Final = "what is appended stays"

_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION signoff_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'insufficient_privilege'; END $$
"""


def keep_what_is_appended(connection: Connection) -> None:
    """Let nobody update or delete a row of the journal, the audit and their anchors by accident."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_FUNCTION)
        statements = _on_postgres()
    else:
        statements = _on_sqlite()
    for statement in statements:
        connection.exec_driver_sql(statement)


def _on_sqlite() -> Iterator[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    for table, kept in APPEND_ONLY.items():
        of = f" OF {kept}" if kept else ""
        yield f"CREATE TRIGGER {table}_is_not_changed BEFORE UPDATE{of} ON {table} {refuse}"
        yield f"CREATE TRIGGER {table}_is_not_deleted BEFORE DELETE ON {table} {refuse}"


def _on_postgres() -> Iterator[str]:
    refuse = "EXECUTE FUNCTION signoff_stays()"
    for table, kept in APPEND_ONLY.items():
        of = f" OF {kept}" if kept else ""
        row, whole = f"ON {table} FOR EACH ROW {refuse}", f"ON {table} FOR EACH STATEMENT {refuse}"
        yield f"CREATE TRIGGER {table}_is_not_changed BEFORE UPDATE{of} {row}"
        yield f"CREATE TRIGGER {table}_is_not_deleted BEFORE DELETE {row}"
        yield f"CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE {whole}"
