"""A run as a drawing."""

from bot.web.pictures import picture
from tests.web import shown


def test_an_empty_run_is_an_empty_picture() -> None:
    drawn = picture(shown.run(steps=[], approvals=[], checkpoints=[]))

    assert drawn.marks == []
    assert drawn.height > 0


def test_events_stand_in_the_order_of_the_journal() -> None:
    drawn = picture(shown.run())

    assert [mark.kind for mark in drawn.marks] == ["step", "step", "checkpoint", "approval"]
    assert [mark.y for mark in drawn.marks] == sorted(mark.y for mark in drawn.marks)


def test_an_approval_is_drawn_with_its_title_and_its_end() -> None:
    waiting = picture(shown.run()).marks[-1]
    rejected = picture(shown.rolled_back()).marks[2]

    assert (waiting.title, waiting.word) == ("Refund order 17?", "Waiting")
    assert (rejected.title, rejected.word) == ("Refund order 17?", "Rejected")


def test_an_arc_leads_from_what_undid_to_what_was_undone() -> None:
    find, reserve, asked, undid_reserve, undid_find = picture(shown.rolled_back()).marks

    assert [mark.is_undone for mark in (find, reserve, asked)] == [True, True, False]
    assert undid_find.arc.endswith(f",{find.y}")
    assert undid_reserve.arc.endswith(f",{reserve.y}")


def test_an_undo_that_fails_leaves_its_step_as_it_was() -> None:
    steps = [shown.step(1, "book"), shown.step(2, "book", "failed", kind="compensation")]

    book, undo = picture(shown.run(steps=steps, approvals=[])).marks

    assert not book.is_undone
    assert (undo.tone, undo.note) == ("bad", "undo")


def test_of_two_steps_with_one_name_the_newer_is_undone_first() -> None:
    undos = [shown.step(at, "book", kind="compensation") for at in (3, 4)]
    steps = [shown.step(1, "book"), shown.step(2, "book"), *undos]

    first, second, undid_second, undid_first = picture(shown.run(steps=steps, approvals=[])).marks

    assert undid_second.arc.endswith(f",{second.y}")
    assert undid_first.arc.endswith(f",{first.y}")


def test_a_long_name_is_cut_in_the_picture_and_whole_in_its_title() -> None:
    (mark,) = picture(
        shown.run(steps=[shown.step(1, "n" * 60)], approvals=[], checkpoints=[])
    ).marks

    assert (len(mark.label), len(mark.title)) == (26, 60)
