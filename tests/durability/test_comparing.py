"""Two moments of one database: what was lost, sent again, begun again or moved between them is found."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from bot.chaos.checker import comparing
from bot.chaos.checker.pages import opened_book
from bot.restoring import restore
from bot.settings import Settings
from engine.clock import SystemClock
from engine.store.backups import back_up
from tests.durability import notes
from tests.durability.rich import FILE, Rich
from tests.durability.scene import SECRET

# What is planted by SQL after the first look -> how the sentence that finds it begins.
FORGOTTEN = {
    "UPDATE journal SET hash = 'x' WHERE run = 'run_gated'": "I24: journal has lost",
    "DELETE FROM votes WHERE version = 1": "I24: votes has lost",
    "DELETE FROM anchors": "I24: anchors has lost",
    "DELETE FROM versions": "I24: versions has lost",
    "UPDATE runs SET status = 'failed' WHERE id = 'run_gated'": "I24: run run_gated was completed",
    "DELETE FROM runs WHERE id = 'run_gated'": "I24: run run_gated was completed and is gone",
}


def test_what_an_upgrade_forgot_is_found(rich: Rich, tmp_path: Path) -> None:
    before = opened_book(rich.path)
    assert list(comparing.forgotten(before, before)) == []

    for number, (statement, sentence) in enumerate(FORGOTTEN.items()):
        copy = rich.copied(tmp_path / str(number))
        copy.tamper(statement)
        found = list(comparing.forgotten(before, opened_book(copy.path)))

        assert any(line.startswith(sentence) for line in found), (statement, found[:3])


def test_what_a_repeat_or_a_look_moved_is_found(rich: Rich, tmp_path: Path) -> None:
    copy, before = rich.copied(tmp_path), opened_book(rich.path)
    copy.tamper("INSERT INTO inbox VALUES ('default', 'slack', 'again', 0)")
    told_again = opened_book(copy.path)
    copy.tamper("UPDATE votes SET at = at + 1")
    moved = opened_book(copy.path)

    assert list(comparing.told_again(before, told_again)) == []
    assert list(comparing.told_again(before, moved)) == [
        "I23: votes is not what it was after the first time"
    ]
    assert list(comparing.moved_by_looking(told_again, moved)) == [
        "I18: votes is not what it was, and somebody only looked"
    ]


def test_what_goes_on_by_itself_after_a_restore_is_found(rich: Rich, tmp_path: Path) -> None:
    backup, there = tmp_path / "backup", tmp_path / FILE
    back_up(rich.path, backup, at=SystemClock().now())
    shutil.copyfile(backup, there)
    carelessly = list(comparing.not_begun_anew(opened_book(backup), opened_book(there)))

    there.unlink()
    settings = Settings(database_url=f"sqlite:///{there}", secret_key=SECRET.decode())
    asyncio.run(restore(settings, backup))
    properly = list(comparing.not_begun_anew(opened_book(backup), opened_book(there)))

    assert properly == []
    assert "I22: it is epoch 1 as before" in carelessly
    assert "I22: run run_nap_1 goes on before anybody has looked" in carelessly


def test_what_was_dispatched_on_both_sides_of_a_restore_is_found(rich: Rich) -> None:
    done = notes.effects(rich.folder)
    others = [replace(done[0], request="run_other:0")]

    assert list(comparing.done_again(done, others)) == []
    assert list(comparing.done_again(done, [*others, done[0]])) == [
        f"I22: {done[0].request} was dispatched before the restore, and again after it"
    ]
