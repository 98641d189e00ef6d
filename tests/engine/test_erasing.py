"""Somebody is erased: nothing says who they were or what they wrote, and every chain still holds."""

from dataclasses import replace
from typing import Final

import pytest
from sqlalchemy import select

from engine.errors import Conflict, NotFound, Refused
from engine.ids import DEFAULT_TENANT, PersonId, RunId
from engine.services import (
    anchoring,
    auditing,
    configuration,
    disclosing,
    erasing,
    exporting,
    legal_holds,
    people,
    runs,
)
from engine.services.erasing import Erasure
from engine.services.exporting import Place
from engine.signing import Signer
from engine.store import notices
from engine.store.database import Database, Transaction
from engine.store.directory import Directory, ListedPerson
from engine.store.exports import ExportCheck
from engine.store.notices import Notice
from engine.store.tables import metadata
from engine.tokens import Tokens
from tests.engine.stage import Stage, cast_of_characters

pytestmark = pytest.mark.anyio

DANA: Final = PersonId("dana")
SIGNER: Final = Signer(bytes(range(32)))
SAID: Final = "my sister Ottilie needs it on Monday"
NAME, EMAIL, SLACK = "Quirina Vexley", "quirina@vexley.example", "T0777/U0QUIRINA"
CANARIES: Final = ("ottilie", "quirina", "vexley")


def company() -> Directory:
    known = cast_of_characters()
    dana = ListedPerson(id=DANA, name=NAME, email=EMAIL, slack=SLACK)
    rest = tuple(each for each in known.people if each.id != DANA)
    return replace(known, people=(*rest, dana))


@pytest.fixture
async def told(stage: Stage) -> RunId:
    return await given_told(stage)


async def given_told(stage: Stage) -> RunId:
    """A run that Dana rejected with her own words, and a notice that is still to be sent to her."""

    def known(tx: Transaction) -> None:
        configuration.apply(tx, DEFAULT_TENANT, company())
        notice = Notice(event="told", title="Hello", text=f"Dear {NAME}", path="/")
        notices.tell_person(tx, DEFAULT_TENANT, DANA, notice)

    await stage.database.write(known)
    run = await stage.start("deploy")
    await stage.vote(run, "dana", "reject", comment=SAID)
    return run


async def erase(stage: Stage, person: str = "dana", reason: str = "They asked.") -> Erasure:
    return await stage.database.write(
        lambda tx: erasing.erase(
            tx, DEFAULT_TENANT, PersonId(person), by="person:ana", reason=reason
        )
    )


def everything(tx: Transaction) -> str:
    """Every value of every row."""
    found = (tx.connection.execute(select(table)).all() for table in metadata.sorted_tables)
    return "\n".join(str(list(rows)) for rows in found).lower()


def exported(tx: Transaction) -> list[str]:
    lines = [exporting.first(tx, DEFAULT_TENANT, SIGNER.public)]
    place: Place | None = Place()
    while place is not None:
        more, place = exporting.page(tx, DEFAULT_TENANT, place)
        lines += more
    return lines


def is_whole(lines: list[str]) -> bool:
    check = ExportCheck([SIGNER.public])
    for line in lines:
        check.take(line)
    return check.end().damaged == 0


async def verified(database: Database) -> bool:
    report = await auditing.verify(database, DEFAULT_TENANT, trusted=[SIGNER.public])
    return report.damaged == 0


async def test_nobody_is_erased_whom_an_approval_still_asks(stage: Stage) -> None:
    await stage.start("deploy")

    with pytest.raises(Conflict) as refusal:
        await erase(stage)

    assert refusal.value.code == "still_needed"


async def test_nobody_is_erased_in_whose_run_something_goes_on(stage: Stage) -> None:
    run = await stage.start("deploy", quorum=2)
    await stage.vote(run, "dana", comment=SAID)

    def left(tx: Transaction) -> None:
        known = company()
        groups = {**known.groups, "release": frozenset({PersonId("ana")})}
        configuration.apply(tx, DEFAULT_TENANT, replace(known, groups=groups))

    await stage.database.write(left)

    with pytest.raises(Conflict, match=str(run)):
        await erase(stage)


@pytest.mark.parametrize("scope", ["tenant", "person:dana", "run"])
async def test_nobody_is_erased_below_a_legal_hold(stage: Stage, told: RunId, scope: str) -> None:
    held = f"run:{told}" if scope == "run" else scope
    why = {"by": "person:ana", "reason": "A court asks."}
    await stage.database.write(lambda tx: legal_holds.place(tx, DEFAULT_TENANT, held, **why))

    with pytest.raises(Refused) as refusal:
        await erase(stage)
    await stage.database.write(lambda tx: legal_holds.release(tx, DEFAULT_TENANT, held, **why))

    assert refusal.value.code == "legal_hold"
    assert (await erase(stage)).is_new


async def test_a_stranger_is_not_erased(stage: Stage) -> None:
    with pytest.raises(NotFound):
        await erase(stage, "nobody")


async def test_what_somebody_wrote_is_shown_until_they_are_erased(
    stage: Stage, told: RunId
) -> None:
    before = await stage.picture(told)
    await erase(stage)
    after = await stage.picture(told)

    assert before.approvals[0].votes[0].comment == SAID
    assert before.row.error == {
        "code": "rolled_back",
        "message": f"“Keep the deployment?” was rejected by {NAME}: {SAID}.",
    }
    assert after.approvals[0].votes[0].comment == "[erased]"
    assert after.approvals[0].decision is not None
    assert after.approvals[0].decision["comment"] == "[erased]"
    assert after.row.error is not None
    assert after.row.error["message"].endswith("was rejected by [erased]: [erased].")


async def test_no_row_holds_what_somebody_wrote_even_before(stage: Stage, told: RunId) -> None:
    rows = await stage.database.read(everything)

    assert "ottilie" not in rows
    assert await stage.is_sound(told)


async def test_nothing_of_somebody_who_was_erased_is_in_any_row(stage: Stage, told: RunId) -> None:
    before = await stage.database.read(everything)
    await erase(stage)

    assert [each for each in CANARIES if each in before] == ["quirina", "vexley"]
    rows = await stage.database.read(everything)
    assert [each for each in CANARIES if each in rows] == []


async def test_every_chain_anchor_and_export_is_whole_afterwards(stage: Stage, told: RunId) -> None:
    await anchoring.anchor_all(stage.database, DEFAULT_TENANT, SIGNER)
    older = await stage.database.read(exported)

    await erase(stage)
    newer = await stage.database.read(exported)

    assert await verified(stage.database)
    assert await stage.is_sound(told)
    assert is_whole(older)
    assert is_whole(newer)
    assert not [each for each in CANARIES if each in "".join([*older, *newer]).lower()]
    assert len(newer) == len(older) + 1


async def test_an_export_for_people_reads_what_is_not_erased(stage: Stage, told: RunId) -> None:
    def readable(tx: Transaction) -> str:
        return "".join(exporting.readable(tx, DEFAULT_TENANT, exported(tx)))

    before = await stage.database.read(readable)
    await erase(stage)

    assert SAID in before
    assert "[erased]" in await stage.database.read(readable)


async def test_the_audit_says_that_it_was_done_and_not_to_whom(stage: Stage, told: RunId) -> None:
    done = await erase(stage, reason="A request of 3 May.")

    (entry,) = await stage.database.read(
        lambda tx: auditing.page(tx, DEFAULT_TENANT, kind="person.erased", before=None, limit=5)
    )
    assert entry.data == {
        "keys": list(done.keys),
        "by": "person:ana",
        "reason": "A request of 3 May.",
    }
    assert len(done.keys) == 1


async def test_the_same_again_changes_nothing(stage: Stage, told: RunId) -> None:
    await erase(stage)
    rows = await stage.database.read(everything)

    again = await erase(stage)

    assert not again.is_new
    assert await stage.database.read(everything) == rows


async def test_a_file_that_still_names_somebody_does_not_bring_them_back(
    stage: Stage, told: RunId
) -> None:
    await erase(stage)

    await stage.database.write(lambda tx: configuration.apply(tx, DEFAULT_TENANT, company()))

    dana = await stage.database.read(lambda tx: people.find(tx, DEFAULT_TENANT, DANA))
    assert (dana.name, dana.email, dana.is_active) == ("[erased]", None, False)


async def test_code_that_goes_on_reads_what_was_said(stage: Stage) -> None:
    run = await stage.start("staged", on_reject="resume")
    await stage.vote(run, "ana")
    await stage.vote(run, "dana", "reject", comment=SAID)
    for _time in range(2):
        await stage.vote(run, "ana")

    picture = await stage.picture(run)
    assert f"told “Keep ship?” was rejected by Dana: {SAID}." in picture.row.result


async def test_everything_that_is_held_is_told_to_its_person(stage: Stage, told: RunId) -> None:
    def all_of_it(tx: Transaction) -> list[object]:
        found, part = disclosing.page(tx, DEFAULT_TENANT, DANA, part=None)
        while part is not None:
            more, part = disclosing.page(tx, DEFAULT_TENANT, DANA, part=part)
            found += more
        return list(found)

    rows = str(await stage.database.read(all_of_it))

    assert all(each in rows for each in (NAME, EMAIL, SLACK, SAID, "release"))
    assert "'what': 'vote'" in rows
    assert "approval.decided" in rows


async def test_under_another_secret_a_text_is_unreadable_and_people_go_on(
    stage: Stage, told: RunId
) -> None:
    def as_another(tx: Transaction) -> str | None:
        tx.tokens = Tokens(b"another secret of at least 32 bytes")
        votes = runs.picture(tx, DEFAULT_TENANT, told).approvals[0].votes
        return votes[0].comment

    assert await stage.database.read(as_another) == "[unreadable]"
