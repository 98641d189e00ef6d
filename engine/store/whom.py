"""Whom an approval asks, as one value that its index has: many approvals ask the same people."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

# Its content's approvers, and those whom rungs added. PostgreSQL keeps a hash: no long words fit into its index.
ON_SQLITE: Final = "(json_extract(content, '$.approvers') || widened)"
ON_POSTGRESQL: Final = "md5((content::json ->> 'approvers') || widened)"


class Whom(ColumnElement[str]):
    """The same for two approvals that ask the same, and hardly ever for two that do not.

    An expression over the row and no column: whoever writes a row, in whatever version, cannot forget it.
    """

    inherit_cache = True
    type = Text()


@compiles(Whom)
def _on_sqlite(_whom: Whom, _compiler: SQLCompiler, **_how: Any) -> str:
    return ON_SQLITE


@compiles(Whom, "postgresql")
def _on_postgresql(_whom: Whom, _compiler: SQLCompiler, **_how: Any) -> str:
    return ON_POSTGRESQL


whom: Final = Whom()
