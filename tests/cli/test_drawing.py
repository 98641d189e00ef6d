"""What the terminal draws can be read in 80 columns."""

from io import StringIO

from rich.console import Console

from bot.cli import drawing

RUN = f"run_{'0' * 32}"


def test_an_id_is_never_cut_in_two() -> None:
    paper = StringIO()
    rows = [(RUN, "refund", "a status of many words " * 3, "2026-11-21 21:47:12 UTC")]

    Console(file=paper, width=80).print(drawing.table(("run", "workflow", "status", "begun"), rows))

    assert RUN in paper.getvalue()


def test_a_moment_of_the_api_is_written_as_all_others_are() -> None:
    assert drawing.stamp("2026-11-21T21:32:35.251720Z") == "2026-11-21 21:32:35 UTC"
