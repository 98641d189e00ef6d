"""What `--auto` promises, line by line, and the table that says which of it came true."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import StrEnum

from rich.table import Table
from rich.text import Text


class Claim(StrEnum):
    """One thing that has to happen. The demo is well only if every one of them did."""

    ASKED = "Three runs began through the API and asked in Slack, by email and by webhook"
    SCANNED = "A mail scanner opened every link: nothing changed"
    STRANGER = "A stranger pressed Approve in Slack: nothing changed"
    FORGED = "A Slack request with a forged signature: nothing changed"
    FORGED_CALLBACK = "A callback with a forged signature: nothing changed"
    DOUBLE = "Ana double-clicked Approve in Slack: one vote"
    REPLAYED = "The same Slack request arrived again: nothing changed"
    KILLED = "The server was killed (-9) while approvals waited: nothing was lost"
    APPROVED = "Bo approved by his email link, and the refund went on"
    PAID = "The refund was paid exactly once"
    USED = "Bo posted the same page again: nothing changed"
    PLANNED = "Before the vote it was shown what rejecting the deployment undoes"
    REJECTED = "The release desk rejected the deployment by a signed callback"
    UNDONE = "The deployment was undone, newest step first"
    REPORTED = "The report of what was undone went to the same message"
    CALLED_TWICE = "The same callback arrived again: nothing changed"
    FEWER = "Chen made 100 pizzas 10 in Slack: 120 dollars were spent, not 1,200"
    HALVED = "Ana halved a trade by mail, Bo agreed to exactly that in Slack: 500 were bought"
    FILLED = "Dana filled in a form by mail: one customer in ten was sent to the release"
    MENDED = "A build was rejected and undone; its run went on with the migration, and passed the second review"
    EXPIRED = "Nobody answered for the pizzas: the deadline passed"
    ROLLED_BACK = "The pizza run was rolled back, and nothing was ordered"
    CLOSED = "No live button is left in Slack"
    TOLD = "Everybody who was asked by mail was told how it ended"
    HEARD = "The other system heard every ending by webhook"
    SOUND = "Every run's journal verifies, and leads to the stored state"


class Untrue(Exception):
    """What was claimed did not happen."""


def demand(what: object, because: str) -> None:
    """Return if `what` is so.

    Raises:
        Untrue: with the reason, otherwise.
    """
    if not what:
        raise Untrue(because)


class Report:
    """Which claims came true, how that was seen, and why the others did not."""

    def __init__(self) -> None:
        self._proofs: dict[Claim, str] = {}
        self._failures: dict[Claim, str] = {}

    @contextmanager
    def showing(self, claim: Claim) -> Generator[list[str]]:
        """Show `claim` in the block; what is put into the list says how it was seen.

        Whatever the block raises is why it is not true, and does not get further: the claims after
        it are tried all the same.
        """
        proof: list[str] = []
        try:
            yield proof
        except Exception as error:  # border: whatever went wrong is what the table is to say
            self._failures[claim] = _why(error)
        else:
            self._proofs[claim] = "; ".join(proof)

    @property
    def failures(self) -> dict[Claim, str]:
        """Every claim that did not come true, and why."""
        unseen = {claim: "It was never tried." for claim in Claim if claim not in self._proofs}
        return {**unseen, **self._failures}

    @property
    def is_well(self) -> bool:
        """Whether every claim came true."""
        return not self.failures

    def table(self) -> Table:
        """Every claim, with its mark and how it was seen."""
        table = Table(title="What happened", title_justify="left", title_style="bold")
        table.add_column("")
        table.add_column("What")
        table.add_column("How it was seen")
        failures = self.failures
        for claim in Claim:
            if claim in failures:
                table.add_row("✗", claim, failures[claim], style="red")
            else:
                table.add_row(Text("✓", style="green"), claim, self._proofs[claim])
        return table


def _why(error: Exception) -> str:
    together: Sequence[Exception] = getattr(error, "exceptions", ())
    if together:
        return "; ".join(_why(each) for each in together)
    said = " ".join(str(error).split())
    if isinstance(error, Untrue):
        return said
    return (
        f"{type(error).__name__}: {said}" if said else f"{type(error).__name__} (it took too long)"
    )
