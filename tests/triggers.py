"""How a hand in the database gets past what refuses it: the triggers that keep what was appended."""

from typing import Final

TAKEN_AWAY: Final = tuple(
    f"DROP TRIGGER IF EXISTS {table}_is_not_{what}"
    for table in ("journal", "audit", "anchors", "anchored")
    for what in ("changed", "deleted")
)
