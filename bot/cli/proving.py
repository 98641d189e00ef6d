"""How `signoff audit verify` holds a database, or an export, against what was kept outside, and tells it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bot.cli.connection import Doors
from bot.cli.drawing import stamp
from bot.cli.terminal import ExitCode, print_json, print_line, say, usage
from engine.clock import from_iso
from engine.digest import canonical
from engine.ids import TenantId
from engine.services.witnessing import Witness
from engine.store.anchors import Anchor
from engine.store.exports import ExportCheck
from engine.store.findings import Report

SHOWN_MAX = 50


def keys_of(answer: Any) -> list[str]:
    """The keys that the server itself trusts."""
    return [answer["key"], *answer["earlier"]]


async def with_witnesses(
    server: Doors, report: Any, files: Sequence[Path], trusted: Collection[str]
) -> Any:
    """The report, and what the anchors in `files` say against the server's."""
    witness = Witness(TenantId(report["tenant"]), trusted=trusted)
    stored = _Stored(server)
    for kept in _anchors(files, witness):
        found = [each.to_json() for each in witness.judge(kept, await stored.get(kept.number))]
        _add(report, found)
    return report


async def of_export(
    path: Path, trusted: Collection[str], files: Sequence[Path], *, as_json: bool
) -> ExitCode:
    """Check an export on its own, and against the anchors in `files`."""
    check = ExportCheck(trusted)
    report = _read_whole(path, check)
    told: Any = report.to_json()
    if not trusted:
        say("No --key was given: the key in the export itself was believed.")
    witness = Witness(report.tenant, trusted=trusted or check.keys)
    for kept in _anchors(files, witness):
        stored = check.anchors.get(kept.number)
        _add(told, [each.to_json() for each in witness.judge(kept, stored)])
    return tell(told, as_json=as_json)


def _read_whole(path: Path, check: ExportCheck) -> Report:
    if not path.is_file():
        raise usage(f"There is no file {path}.", code="bad_export")
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            check.take(line.rstrip("\n"))
    return check.end()


def tell(report: Any, *, as_json: bool) -> ExitCode:
    """Print the report, and give the exit code that says the same."""
    if as_json:
        print_json(report)
    else:
        for sentence in _sentences(report):
            print_line(sentence)
    return ExitCode.DONE if report["is_whole"] else ExitCode.FAILED


def _sentences(report: Any) -> Iterator[str]:
    for finding in report["findings"][:SHOWN_MAX]:
        yield f"{finding['damage']}: {finding['says']}"
    if report["damaged"] > SHOWN_MAX:
        yield f"and {report['damaged'] - SHOWN_MAX} more; --json tells them."
    whole = "Everything is as it was written" if report["is_whole"] else "This was tampered with"
    counted = ", ".join(_many(report[what], what) for what in ("entries", "runs", "anchors"))
    yield f"{whole}: {counted}."
    if report["pruned"]:
        yield f"Pruned, signed: {_many(report['pruned'], 'entries')}."
    last, left = report["last_anchor"], report["unanchored"]
    if last is not None:
        yield f"Anchored: {report['anchored']} entries, last at {stamp(last['at'])} (anchor {last['number']})."
    if left["entries"]:
        yield (
            f"Not anchored yet: {left['entries']} entries in {left['chains']} chains, since "
            f"{stamp(left['since'])}; whoever computes hashes anew can still change them."
        )
        for each in left["ranges"][:SHOWN_MAX]:
            yield f"  {each['chain']}: positions {each['first']} to {each['last']}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count != 1 else f"1 {_ONE[what]}"


_ONE = {"entries": "entry", "runs": "run", "anchors": "anchor"}


def _add(report: Any, found: Sequence[Any]) -> None:
    report["findings"].extend(found)
    report["damaged"] += len(found)
    report["is_whole"] = report["is_whole"] and not found


def _anchors(files: Iterable[Path], witness: Witness) -> Iterator[Anchor]:
    for path in files:
        if not path.is_file():
            raise usage(f"There is no file {path}.", code="bad_anchor")
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                kept = witness.read(line)
                if kept is not None:
                    yield kept


class _Stored:
    """The server's anchors, a page of them at a time."""

    def __init__(self, server: Doors) -> None:
        self._server = server
        self._page: dict[int, Anchor] = {}

    async def get(self, number: int) -> Anchor | None:
        """The anchor of that number, if the server has it."""
        if number not in self._page:
            page = await self._server.get("/api/audit/anchors", cursor=number - 1, limit=200)
            self._page = {each.number: each for each in map(_anchor, page["anchors"])}
        return self._page.get(number)


def _anchor(said: Any) -> Anchor:
    stated = said["statement"]
    words = canonical(stated).decode()
    return Anchor(
        number=int(stated.get("number", 0)),
        words=words,
        signature=str(said["signature"]),
        at=from_iso(str(stated.get("at"))),
    )
