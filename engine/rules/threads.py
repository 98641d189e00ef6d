"""How a run's trace hangs together with what was before it and comes after: W3C trace context."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from engine.rules.wording import is_table

_TRACEPARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?"
)
_ID: Final = re.compile(r"[0-9a-f]{32}")
_WHOLE: Final = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """The trace that a run belongs to, the span above it, and whether anybody keeps the trace.

    `is_told` says that its ids go along with the run's HTTP steps.
    """

    trace: str
    parent: str | None
    is_sampled: bool = True
    is_told: bool = False

    def to_json(self) -> dict[str, object]:
        """As the first entry of a journal has it."""
        return {"id": self.trace, "parent": self.parent, "sampled": self.is_sampled}

    def traceparent(self, span: str) -> str:
        """The header that says that `span` is above what is called now."""
        return f"00-{self.trace}-{span}-{'01' if self.is_sampled else '00'}"


def parse_traceparent(header: str | None) -> Thread | None:
    """What a W3C `traceparent` says; None for none, and for what is not one, which is as if it were not there."""
    found = None if header is None else _TRACEPARENT.fullmatch(header.strip())
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return None
    if set(found["trace"]) == {"0"} or set(found["span"]) == {"0"}:
        return None
    sampled = bool(int(found["flags"], 16) & 1)
    return Thread(trace=found["trace"], parent=found["span"], is_sampled=sampled, is_told=True)


def thread_from(header: str | None, *, run: str, share: float | None) -> Thread | None:
    """The thread on which a run begins: its caller's, else one of its own where a `share` is kept; or none."""
    given = parse_traceparent(header)
    if given is not None or share is None:
        return given
    trace = trace_id(run)
    return Thread(trace=trace, parent=None, is_sampled=is_kept(trace, share), is_told=True)


def thread_of(
    created: Mapping[str, object], *, root: str, parent: str | None, parent_path: str | None
) -> Thread:
    """The thread of a run: as its first entry has it, else made from the run at the top of its tree.

    A run that another one started hangs below the step there, in the same trace.
    """
    above = None if parent is None else span_id(parent, "child", parent_path or "", "0")
    said = created.get("trace")
    trace = said.get("id") if is_table(said) else None
    if not (is_table(said) and isinstance(trace, str) and _ID.fullmatch(trace)):
        return Thread(trace=trace_id(root), parent=above)
    given = said.get("parent")
    return Thread(
        trace=trace,
        parent=above or (given if isinstance(given, str) else None),
        is_sampled=bool(said.get("sampled")),
        is_told=True,
    )


def trace_id(root: str) -> str:
    """The trace of a tree of runs, where nobody gave it one."""
    return sha256(f"signoff.trace:{root}".encode()).hexdigest()[:32]


def span_id(*names: str) -> str:
    """The span of a run, or of what is named within it."""
    return sha256(":".join(("signoff.span", *names)).encode()).hexdigest()[:16]


def is_kept(trace: str, share: float) -> bool:
    """Whether a trace is among the `share` of all that is kept; everybody finds the same."""
    return int(trace[:16], 16) < share * _WHOLE
