"""A terminal shows the names that people know, and a call as it will be made."""

from rich.console import Console, RenderableType

from bot.cli.approval_drawing import approval_picture
from bot.cli.approval_shapes import Approval
from bot.cli.run_drawing import run_picture
from bot.cli.shapes import Run
from tests.web import shown


def drawn(picture: RenderableType) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture)
    return captured.get()


def test_whoever_began_a_run_is_named_and_a_nameless_key_is_shown_by_its_id() -> None:
    named = Run.model_validate(shown.run(started_by="key:key_1", started_by_name="night desk"))
    nameless = Run.model_validate(shown.run(started_by="key:key_1", started_by_name=""))

    assert "by night desk" in drawn(run_picture(named))
    assert "by key:key_1" in drawn(run_picture(nameless))


def test_an_approval_is_drawn_with_its_call_and_whoever_asks() -> None:
    picture = drawn(approval_picture(Approval.model_validate(shown.approval())))

    assert 'pay_back("ch_81", "620.00 USD") of shop.refunds' in picture
    assert "asked by Eve Okoro" in picture
    assert "person:eve" not in picture


def test_whoever_looks_at_a_run_that_is_stuck_is_told_the_way_out() -> None:
    waits = {"reason": "quarantined"}
    run = Run.model_validate(shown.run(status="waiting", waiting_for=waits))

    picture = drawn(run_picture(run))

    assert "waiting and set aside" in picture
    assert f"signoff runs release {run.id} --reason" in picture
