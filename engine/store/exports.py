"""An export of the record, line by line: how its lines are spelled, and how they are checked without a database."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeGuard

from engine.clock import from_iso
from engine.digest import canonical
from engine.errors import Invalid
from engine.ids import TenantId
from engine.rules.chaining import ChainCheck, Damage, Finding, Line
from engine.store import segments
from engine.store.anchors import Anchor, Head
from engine.store.findings import AnchorCheck, Report
from engine.store.segments import Segment

FORMAT: Final = "signoff/audit/v1"
_ENTRY: Final = '{"entry":'
_HASH: Final = ',"hash":"'
_TAIL: Final = len(_HASH) + len("sha256:") + 64 + len('"}')


def header(tenant: TenantId, *, at: str, key: str) -> str:
    """The first line: what this is, whose, and which key signs its anchors."""
    return compact({"format": FORMAT, "tenant": tenant, "at": at, "key": key})


def entry(line: Line) -> str:
    """An entry: the very words that were hashed, and the hash."""
    return f'{_ENTRY}{line.text}{_HASH}{line.hash}"}}'


def compact(value: object) -> str:
    """Any other line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class ExportCheck:
    """Reads an export from its first line to its last.

    What was anchored is in memory until its chain has been read: about 200 bytes a chain, and
    nothing for entries. Without `trusted` keys the one in the export itself counts, which proves
    that nothing was changed by accident, and no more.

    Raises:
        Invalid: `bad_export`, from each method, if this is no export, or not a whole one.
    """

    def __init__(self, trusted: Collection[str]) -> None:
        self._trusted = trusted
        self.keys: Collection[str] = trusted  # those that count
        self.anchors: dict[int, Anchor] = {}
        self._report: Report | None = None
        self._anchors: AnchorCheck | None = None
        self._anchor: Anchor | None = None
        self._marks: dict[str, dict[int, str]] = {}
        self._chain: ChainCheck | None = None
        self._length: int | None = None
        self._head: str | None = None
        self._is_over = False

    def take(self, text: str) -> None:
        """Read the line that comes next."""
        if self._report is None:
            self._begin(_read(text))
        elif text.startswith(_ENTRY):
            self._take_entry(text)
        else:
            self._take_other(_read(text))

    def end(self) -> Report:
        """No line follows: what all of it comes to."""
        report = self._report
        if report is None or not self._is_over:
            raise Invalid("The export ends too early: it was cut.", code="bad_export")
        for chain, marks in self._marks.items():
            says = f"{chain}: it was anchored and is not in the export."
            report.add([Finding(damage=Damage.CUT, chain=chain, position=max(marks), says=says)])
        return report

    def _begin(self, stated: Mapping[str, Any]) -> None:
        if stated.get("format") != FORMAT:
            raise Invalid("This is no export of Signoff's record.", code="bad_export")
        self._report = Report(tenant=TenantId(str(stated.get("tenant"))))
        self.keys = self._trusted or [str(stated.get("key"))]
        self._anchors = AnchorCheck(self._report, self.keys)

    def _take_entry(self, text: str) -> None:
        if self._chain is None:
            raise Invalid("The export has an entry before its chain.", code="bad_export")
        words, hashed = text[len(_ENTRY) : -_TAIL], text[-_TAIL + len(_HASH) : -2]
        said = _read(words)
        owner = said.get("run", said.get("tenant"))
        expected = self._tenant if self._chain.chain == "audit" else self._chain.chain
        position = said.get("position")
        line = Line(
            chain=self._chain.chain,
            position=position if isinstance(position, int) and owner == expected else -1,
            kind=str(said.get("kind")),
            data="",
            at=str(said.get("at")),
            previous=str(said.get("previous")),
            hash=hashed,
            text=words,
        )
        self._chain.take(line)

    def _take_other(self, said: Mapping[str, Any]) -> None:
        if "statement" in said:
            self._anchor = _anchor(said)
            self.anchors[self._anchor.number] = self._anchor
        elif "heads" in said and self._anchor is not None and self._anchors is not None:
            heads = [Head(str(each[0]), int(each[1]), str(each[2])) for each in said["heads"]]
            self._anchors.take(self._anchor, heads)
            for head in heads:
                self._marks.setdefault(head.chain, {})[head.position] = head.hash
        elif "chain" in said:
            self._close()
            chain = str(said["chain"])
            self._chain = ChainCheck(chain, self._marks.pop(chain, {}))
            self._length, self._head = said.get("length"), said.get("head")
        elif "segment" in said and self._chain is not None:
            pruned = [_segment(said)]
            segments.follow(self._chain, pruned, tenant=TenantId(self._tenant), trusted=self.keys)
        elif "end" in said:
            self._close()
            self._is_over = True

    def _close(self) -> None:
        chain, report = self._chain, self._report
        if chain is None or report is None:
            return
        chain.end(length=self._length, head=self._head)
        report.count(chain)
        report.runs += chain.chain != "audit"
        self._chain = None

    @property
    def _tenant(self) -> str:
        return "" if self._report is None else self._report.tenant


def _anchor(said: Mapping[str, Any]) -> Anchor:
    stated = said["statement"]
    try:
        return Anchor(
            number=int(stated["number"]),
            words=canonical(stated).decode(),
            signature=str(said.get("signature")),
            at=from_iso(str(stated["at"])),
        )
    except (KeyError, TypeError, ValueError):
        raise Invalid("The export has an anchor that cannot be read.", code="bad_export") from None


def _segment(said: Mapping[str, Any]) -> Segment:
    stated = said["segment"]
    try:
        return Segment(
            chain=str(stated["chain"]),
            first=int(stated["first"]),
            last=int(stated["last"]),
            words=canonical(stated).decode(),
            signature=str(said.get("signature")),
        )
    except (KeyError, TypeError, ValueError):
        raise Invalid("The export has a segment that cannot be read.", code="bad_export") from None


def _read(text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not _is_table(said):
        raise Invalid(
            f"The export has a line that cannot be read: {text[:60]!a}.", code="bad_export"
        )
    return said


def _is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)
