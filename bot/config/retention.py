"""Reads `[retention]`: how long what is finished is kept."""

import re
from datetime import timedelta
from typing import Final

from bot.config.notes import Notes, Raw
from engine.rules.wording import shown
from engine.services.retaining import Terms

KEYS: Final = ("payload", "record")
DAYS_MAX: Final = 36_500
_DAYS: Final = re.compile("([1-9][0-9]{0,4})d")


def read_retention(raw: Raw, notes: Notes) -> Terms:
    """What `[retention]` says; without it, everything is kept for good."""
    table = notes.table(raw.get("retention", {}), ("retention",))
    notes.only(table, ("retention",), KEYS)
    payload, record = (_within(table, name, notes) for name in KEYS)
    if payload is not None and record is not None and record < payload:
        text = "retention.record is shorter than retention.payload; the record is kept longer."
        notes.add(("retention", "record"), text)
    return Terms(payload=payload, record=record)


def _within(table: Raw, name: str, notes: Notes) -> timedelta | None:
    if name not in table:
        return None
    said = table[name]
    found = _DAYS.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        text = f"retention.{name} is {shown(said)}; write it in days, from 1d to 36500d."
        notes.add(("retention", name), text)
        return None
    return timedelta(days=min(int(found[1]), DAYS_MAX))
