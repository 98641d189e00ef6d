"""The record as it leaves: exports that are verified without a database, and tables without formulas."""

import json
from collections.abc import Callable
from typing import Final

import pytest

from bot.record_csv import rows_of
from engine.errors import Invalid
from engine.ids import DEFAULT_TENANT
from engine.rules.chaining import Damage
from engine.services import exporting
from engine.services.exporting import Place
from engine.signing import Signer
from engine.store.database import Transaction
from engine.store.exports import ExportCheck
from engine.store.findings import Report
from tests.audit.ground import SIGNER, Ground, opened_at

pytestmark = pytest.mark.anyio

STRANGER: Final = Signer(bytes(32))


async def exported(ground: Ground) -> list[str]:
    def whole(tx: Transaction) -> list[str]:
        lines = [exporting.first(tx, DEFAULT_TENANT, SIGNER.public)]
        place: Place | None = Place()
        while place is not None:
            more, place = exporting.page(tx, DEFAULT_TENANT, Place.read(str(place)))
            lines.extend(more)
        return lines

    async with opened_at(ground.path) as database:
        return list(await database.read(whole))


def checked(lines: list[str], *trusted: str) -> Report:
    check = ExportCheck(trusted)
    for line in lines:
        check.take(line)
    return check.end()


def edited(lines: list[str]) -> None:
    at = next(place for place, line in enumerate(lines) if '"step.finished"' in line)
    lines[at] = lines[at].replace('"step.finished"', '"step.failed"')


def one_less(lines: list[str]) -> None:
    del lines[next(place for place, line in enumerate(lines) if '"position":2,' in line)]


def swapped(lines: list[str]) -> None:
    at = next(place for place, line in enumerate(lines) if '"position":2,' in line)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]


def tail_cut(lines: list[str]) -> None:
    # Of the audit, whose length nothing but an anchor tells.
    del lines[-2]


def chain_less(lines: list[str]) -> None:
    at = next(place for place, line in enumerate(lines) if line.startswith('{"chain":"run_'))
    following = next(
        place for place, line in enumerate(lines) if place > at and line.startswith('{"chain"')
    )
    del lines[at:following]


async def test_an_export_that_nobody_touched_is_whole(ground: Ground) -> None:
    report = checked(await exported(ground), SIGNER.public)

    assert (report.findings, report.runs, report.anchors) == ([], 3, 2)
    assert report.entries == report.anchored > 30


@pytest.mark.parametrize(
    ("tamper", "damage"),
    [
        (edited, Damage.EDITED),
        (one_less, Damage.MISSING),
        (swapped, Damage.MISSING),
        (tail_cut, Damage.CUT),
        (chain_less, Damage.CUT),
    ],
)
async def test_what_is_changed_in_an_export_is_found(
    ground: Ground, tamper: Callable[[list[str]], None], damage: Damage
) -> None:
    lines = await exported(ground)

    tamper(lines)

    assert damage in {finding.damage for finding in checked(lines, SIGNER.public).findings}


async def test_an_export_signed_by_somebody_else_is_not_believed(ground: Ground) -> None:
    report = checked(await exported(ground), STRANGER.public)

    assert {finding.damage for finding in report.findings} == {Damage.FORGED}


async def test_an_export_that_was_cut_or_is_none_is_refused(ground: Ground) -> None:
    lines = await exported(ground)

    for bad in ([], lines[:-1], ["{}"], ["nonsense"], [*lines[:1], '{"entry":{}}']):
        with pytest.raises(Invalid) as refused:
            checked(bad, SIGNER.public)
        assert refused.value.code == "bad_export"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_of_a_table_is_a_formula(text: str) -> None:
    said: dict[str, object] = {
        "at": text,
        "data": {},
        "kind": text,
        "name": text,
        "path": None,
        "position": 0,
    }
    line = json.dumps({"entry": {**said, "run": text}, "hash": text})

    (row,) = rows_of([line])

    assert row.count(f"'{text}") == 5
