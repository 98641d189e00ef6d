"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; a bar inside a cell stays a character."""
    return [
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
        for cells in (head, ["---"] * len(head), *rows)
    ]


def code(text: str) -> str:
    """`text` as code."""
    return f"`{text}`" if text else ""
