"""The checker finds what it is there for: each planted violation, and nothing in what is sound."""

import sqlite3
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.chaos.checker.book import fingerprint
from bot.chaos.checker.chains import journal_hash
from bot.chaos.checker.pages import opened_book
from bot.chaos.checker.violations import Acked, Effect, Evidence, violations
from engine.errors import NotEligible
from engine.ids import RunId
from tests.durability import notes
from tests.durability.scene import LATER, Scene
from tests.triggers import TAKEN_AWAY

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

# What is planted by SQL -> how the sentence that finds it begins. {paid} is a run that was approved
# and completed, {undone} one that was rolled back, {open} one that waits; {a…} are their approvals.
PLANTED = {
    "an entry is changed": (
        "UPDATE journal SET data = '{{}}' WHERE run = '{paid}' AND kind = 'step.begun'",
        "I12: run {paid}",
    ),
    "a tail is cut": (
        "DELETE FROM journal WHERE run = '{paid}' AND kind = 'run.completed'",
        "I12: run {paid}",
    ),
    "the audit is changed": ("UPDATE audit SET kind = 'nothing' WHERE position = 0", "I12: audit"),
    "the audit lacks an entry": (
        "DELETE FROM audit WHERE position = 0",
        "I12: audit of default lacks",
    ),
    "an artifact has other bytes": (
        "INSERT INTO artifacts VALUES ('default', 'sha256:00', 'text/plain', X'00', 0)",
        "I12: artifact",
    ),
    "the content is changed": (
        "UPDATE approvals SET content = replace(content, '10.00', '99.00') WHERE id = '{apaid}'",
        "I7: approval {apaid}",
    ),
    "a version is changed": (
        "UPDATE versions SET digest = 'sha256:00' WHERE approval = '{apaid}'",
        "I7: version 1 of {apaid}",
    ),
    "a vote is lost": ("DELETE FROM votes WHERE approval = '{apaid}'", "I2: "),
    "a vote is added": (
        (
            "INSERT INTO votes SELECT 'vot_x', tenant, approval, version, 99, 'chen', choice, comment, "
            "digest, channel, identified_by, 0, 1, at, changes FROM votes WHERE approval = '{apaid}' LIMIT 1"
        ),
        "I11: approval {apaid} has other votes",
    ),
    "a replaced vote is current": (
        "UPDATE votes SET is_current = 0 WHERE approval = '{apaid}' AND person = 'ana'",
        "I6: approval {apaid}",
    ),
    "a late vote is not on record": (
        (
            "INSERT INTO votes SELECT 'vot_x', tenant, approval, version, 99, 'chen', choice, comment, "
            "digest, channel, identified_by, 1, 0, at, changes FROM votes WHERE approval = '{apaid}' LIMIT 1"
        ),
        "I11: late votes",
    ),
    "an approval is open again": (
        "UPDATE approvals SET status = 'open' WHERE id = '{apaid}'",
        "I11: approval {apaid} has status",
    ),
    "a decision is another": (
        (
            "UPDATE approvals SET decision = replace(decision, 'quorum', 'override')"
            " WHERE id = '{apaid}'"
        ),
        "I1: {apaid} was approved because of 'override'",
    ),
    "the requester decided": (
        "UPDATE approvals SET excluded = '[\"ana\"]' WHERE id = '{apaid}'",
        "I1: {apaid} was decided by ['ana']",
    ),
    "the quorum is not reached": (
        "UPDATE people SET is_active = 0 WHERE id = 'ana'",
        "I1: {apaid} was approved by ['bo']: no quorum",
    ),
    "a decision was never used": (
        "UPDATE approvals SET consumed_at = NULL WHERE id = '{apaid}'",
        "I11: approval {apaid} has consumed_at",
    ),
    "a run is further than its journal": (
        "UPDATE runs SET status = 'completed', reason = NULL WHERE id = '{open}'",
        "I11: run {open} is stored as completed",
    ),
    "a result is another": (
        "UPDATE runs SET result = '\"x\"' WHERE id = '{paid}'",
        "I11: run {paid} has another result",
    ),
    "a timer is lost": (
        "DELETE FROM timers WHERE approval = '{aopen}' AND rung = 0",
        "I8: approval {aopen} is open and lacks a timer",
    ),
    "a timer is late": (
        "UPDATE timers SET due_at = due_at + 1 WHERE approval = '{aopen}'",
        "I8: approval {aopen}: rung 0 is due at another moment",
    ),
    "a timer fires again": (
        "UPDATE timers SET fired_at = NULL, cancelled_at = NULL WHERE approval = '{aundone}'",
        "I8: approval {aundone}",
    ),
    "a lease is held twice": (
        "UPDATE runs SET lease_token = 'lease_x', lease_holder = 'w', lease_expires_at = 1",
        "I4: the lease lease_x",
    ),
    "a waiting run is held": (
        (
            "UPDATE runs SET lease_token = 'lease_x', lease_holder = 'w', lease_expires_at = 1"
            " WHERE id = '{open}'"
        ),
        "I4: run {open} is waiting:approval",
    ),
    "a run is stuck": (
        "UPDATE runs SET status = 'running', reason = NULL WHERE id = '{open}'",
        "I19: run {open} is running, and nothing",
    ),
    "a run waits for another approval": (
        "UPDATE runs SET awaits = 'apr_x' WHERE id = '{open}'",
        "I19: run {open} is waiting:approval, waits for apr_x",
    ),
    "a delivery is lost": (
        "DELETE FROM outbox WHERE event = 'approval.decided'",
        "I13: message",
    ),
    "a delivery is not made": (
        "UPDATE outbox SET status = 'pending' WHERE event = 'approval.opened'",
        "I13: dlv_",
    ),
    "a link lives on": ("UPDATE links SET revoked_at = NULL", "I14: a link"),
    "another tenant's": (
        "UPDATE votes SET tenant = 'other'",
        "I16: a row of votes",
    ),
    "a compensation never ran": (
        (
            "UPDATE journal SET kind = 'compensation.failed' WHERE run = '{undone}'"
            " AND kind = 'compensation.finished' AND name = 'deploy'"
        ),
        "I9: run {undone} is rolled back without",
    ),
}


async def given_three(scene: Scene) -> dict[str, str]:
    """A run that was paid, one that was undone by time, and one that waits."""
    undone = await scene.start("shaky_deploy")
    await scene.drive()
    await scene.pass_time(LATER)
    paid, waits = await scene.start("shaky_refund"), await scene.start("shaky_deploy")
    await scene.drive()
    runs = {"paid": paid, "undone": undone, "open": waits}
    asked = {f"a{name}": (await scene.picture(run)).approvals[-1].id for name, run in runs.items()}
    await scene.deliver()
    with suppress(NotEligible):
        await scene.vote(asked["apaid"], "dana")
    for person in ("ana", "bo"):
        await scene.vote(asked["apaid"], person)
    await scene.drive()
    await scene.deliver()
    return {**runs, **asked}


def tampered(scene: Scene, statement: str) -> None:
    with sqlite3.connect(scene.database.path) as connection:
        for taken_away in TAKEN_AWAY:
            connection.execute(taken_away)
        assert connection.execute(statement).rowcount > 0
    connection.close()


@pytest.mark.parametrize("planted", PLANTED)
async def test_what_is_planted_in_the_file_is_found(scene: Scene, planted: str) -> None:
    names = await given_three(scene)
    assert scene.violations() == []
    statement, sentence = (text.format(**names) for text in PLANTED[planted])

    tampered(scene, statement)

    found = scene.violations()
    assert any(line.startswith(sentence) for line in found), found


@pytest.mark.parametrize("rehashed", [False, True])
async def test_an_entry_that_is_changed_and_hashed_again_breaks_the_chain(
    scene: Scene, rehashed: bool
) -> None:
    run = (await given_three(scene))["paid"]
    tampered(scene, f"UPDATE journal SET name = 'x' WHERE run = '{run}' AND position = 1")
    if rehashed:
        with sqlite3.connect(scene.database.path) as connection:
            connection.row_factory = sqlite3.Row
            where = f"WHERE run = '{run}' AND position = 1"
            line = dict(connection.execute(f"SELECT * FROM journal {where}").fetchone())
            connection.execute(f"UPDATE journal SET hash = '{journal_hash(line)}' {where}")
        connection.close()

    said = "position 2, follows another entry" if rehashed else "position 1, was changed"
    assert f"I12: run {run}, {said}" in scene.violations()


async def test_what_is_wrong_in_the_world_is_found(scene: Scene) -> None:
    names = await given_three(scene)
    path, done = scene.database.path, notes.effects(scene.folder)
    shown = notes.messages(scene.folder)
    paid = next(effect for effect in done if effect.name == "pay")
    last = [each for each in shown if each.approval == names["apaid"]][-1]
    ghost = Acked(approval=names["aopen"], person="ana", choice="approve", status="open")
    cases = {
        "I1: ": Evidence(effects=[replace(paid, args=("1000000.00",))]),
        "I2: ": Evidence(acked=[ghost]),
        "I3: ": Evidence(effects=[paid, paid]),
        "I9: ": Evidence(names=frozenset({"migrate"}), effects=[*filter(_is_no_undo, done)]),
        "I10: ": Evidence(effects=[replace(paid, at=paid.at + 1)]),
        "I13: ": Evidence(shown=[replace(last, key="dlv_ghost")]),
        "I14: ": Evidence(shown=[last, replace(last, status="open")]),
    }

    for sentence, evidence in cases.items():
        found = violations(opened_book(path), evidence)

        assert any(line.startswith(sentence) for line in found), (sentence, found)


async def test_looking_changes_no_row(scene: Scene) -> None:
    names = await given_three(scene)
    before = fingerprint(opened_book(scene.database.path))

    for name in ("paid", "undone", "open"):
        await scene.picture(RunId(names[name]))
    looked = fingerprint(opened_book(scene.database.path))
    await scene.start("shaky_nap")

    assert looked == before
    changed = {
        name
        for name, value in fingerprint(opened_book(scene.database.path)).items()
        if value != before[name]
    }
    assert changed == {"runs", "journal"}


def _is_no_undo(effect: Effect) -> bool:
    return not effect.is_undo
