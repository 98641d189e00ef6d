"""Facts as blocks: each in full as plain characters, or named as left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from channels.base import Fact
from channels.slack import limits
from channels.slack.text import Mrkdwn, TextObject, clipped, escape, mrkdwn, one_line, plain, shown

Block = dict[str, object]

BLOCKS_MOST: Final = 27  # of a message's fifty; the rest is for who asks, what, votes and buttons
LABEL_CHARS: Final = 150
_SHORT_CHARS: Final = 120  # fits beside its label on a phone
_PREVIEW_CHARS: Final = 200
_PAIRS: Final = limits.SECTION_FIELDS // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FactBlocks:
    """The blocks, and the labels of what they do not show in full."""

    blocks: tuple[Block, ...]
    left_out: tuple[str, ...]


@dataclass(slots=True)
class _Room:
    """How much more this message can hold."""

    chars: int = limits.FACT_CHARS_TOTAL
    blocks: int = BLOCKS_MOST - 2  # one for the cut ones, one for pairs that are not full yet


def fact_blocks(facts: Iterable[Fact]) -> FactBlocks:
    """Show `facts`, material ones first, as long as there is room.

    A fact is shown whole or named among `left_out`; a long one that is left out is shown by its
    beginning and its length, so that people see that something is missing.
    """
    room = _Room()
    pairs: list[TextObject] = []
    long: list[Block] = []
    missing: list[tuple[Fact, int]] = []
    for fact in sorted(facts, key=lambda fact: not fact.is_material):
        if not _takes(room, fact, pairs):
            missing.append((fact, len(shown(fact.value))))
        elif _is_short(fact):
            pairs += [bold(fact.label), plain(fact.value, limits.SECTION_FIELD)]
        else:
            long += [_section(bold(fact.label)), _section(plain(fact.value))]
    blocks = [*_rows(pairs), *long, *_missing(missing)]
    return FactBlocks(
        blocks=tuple({**block, "block_id": f"signoff:fact:{n}"} for n, block in enumerate(blocks)),
        left_out=tuple(fact.label for fact, _ in missing),
    )


def bold(label: str) -> TextObject:
    """A label from outside, in one bold line."""
    return mrkdwn(Mrkdwn(f"*{escape(clipped(one_line(label), LABEL_CHARS))}*"))


def _takes(room: _Room, fact: Fact, pairs: list[TextObject]) -> bool:
    chars = len(shown(fact.label)) + len(shown(fact.value))
    starts_a_row = len(pairs) % limits.SECTION_FIELDS == 0
    blocks = (1 if starts_a_row else 0) if _is_short(fact) else 2
    fits = (
        len(one_line(fact.label)) <= LABEL_CHARS
        and len(shown(fact.value)) <= limits.SECTION_TEXT
        and chars <= room.chars
        and blocks <= room.blocks
    )
    if fits:
        room.chars -= chars
        room.blocks -= blocks
    return fits


def _is_short(fact: Fact) -> bool:
    value = shown(fact.value)
    return len(value) <= _SHORT_CHARS and "\n" not in value


def _rows(pairs: list[TextObject]) -> Iterator[Block]:
    step = _PAIRS * 2
    for start in range(0, len(pairs), step):
        yield {"type": "section", "fields": pairs[start : start + step]}


def _missing(missing: list[tuple[Fact, int]]) -> Iterator[Block]:
    if missing:
        lines = (
            f"{clipped(one_line(fact.label), LABEL_CHARS)}: "
            f"{clipped(one_line(fact.value), _PREVIEW_CHARS)} ({chars:,} characters, not all shown)"
            for fact, chars in missing
        )
        yield _section(plain("Not shown in full:\n" + "\n".join(lines)))


def _section(text: TextObject) -> Block:
    return {"type": "section", "text": text}
