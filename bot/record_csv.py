"""The record as a table for people: comma-separated, and no cell of it is taken for a formula."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

COLUMNS: Final = ("chain", "position", "at", "kind", "name", "path", "data", "hash")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def first_row() -> str:
    """The names of the columns."""
    return _row(COLUMNS)


def rows_of(lines: Iterable[str]) -> Iterator[str]:
    """The rows of the entries among the lines of an export; other lines have none."""
    for line in lines:
        read: Mapping[str, Any] = json.loads(line)
        if "format" in read:
            yield first_row()
        if "entry" not in read:
            continue
        said: Mapping[str, Any] = read["entry"]
        data = json.dumps(said["data"], ensure_ascii=False, separators=(",", ":"))
        chain = said.get("run", "audit")
        named = (said.get("name") or "", said.get("path") or "")
        cells = (chain, said["position"], said["at"], said["kind"], *named, data, read["hash"])
        yield _row(cells)


def _row(cells: Iterable[object]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([_safe(str(cell)) for cell in cells])
    return written.getvalue()


def _safe(text: str) -> str:
    # A spreadsheet computes what begins like this, whatever the quotes around it.
    return f"'{text}" if text.startswith(_FORMULA) else text
