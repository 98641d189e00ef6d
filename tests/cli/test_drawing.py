"""What the terminal draws can be read in 80 columns."""

from io import StringIO

from rich.console import Console

from bot.cli import drawing

RUN = f"run_{'0' * 32}"


def printed(columns: tuple[str, ...], row: tuple[str, ...]) -> list[str]:
    paper = StringIO()
    Console(file=paper, width=80).print(drawing.table(columns, [row]))
    return [line.rstrip() for line in paper.getvalue().splitlines()]


def test_an_id_is_never_cut_in_two() -> None:
    row = (RUN, "refund", "a status of many words " * 3, "2026-11-21 21:47:12 UTC")

    lines = printed(("run", "workflow", "status", "begun"), row)

    assert lines[0].split() == ["run", "workflow", "status", "begun"]
    assert lines[1].startswith(f"{RUN}  refund")


def test_a_list_that_is_too_wide_has_a_block_for_each_row() -> None:
    columns = ("budget", "scope", "per", "spent", "kept back", "left", "at its end")
    row = (RUN, "tenant", "month", "0.00 USD of 100.00 USD", "0.00 USD", "1000000.00 USD", "")

    lines = printed(columns, row)

    assert lines[:2] == [f"budget     {RUN}", "scope      tenant"]
    assert lines[-1] == "left       1000000.00 USD"


def test_a_moment_of_the_api_is_written_as_all_others_are() -> None:
    assert drawing.stamp("2026-11-21T21:32:35.251720Z") == "2026-11-21 21:32:35 UTC"
