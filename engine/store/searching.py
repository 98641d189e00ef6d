"""Looking for a text within columns."""

from sqlalchemy import Column, ColumnElement, or_


def holds(text: str, *columns: Column[str]) -> ColumnElement[bool]:
    """Whether one of `columns` holds `text`, in whatever case; every sign of it stands for itself."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(*(column.ilike(f"%{escaped}%", escape="\\") for column in columns))
