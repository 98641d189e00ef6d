"""`signoff cases`: what several sources report of one outcome, and whether it is final."""

from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.case_shapes import Case
from bot.cli.connection import Url, doors, segment
from bot.cli.paging import After, Limit, say_rest
from bot.cli.runs import Reason
from bot.cli.settling import parsed
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line, show

verbs = typer.Typer(
    name="cases", help="What sources report, and when it is final.", no_args_is_help=True
)

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="The case, as in cas_….")]


@verbs.command("open", cls=Verb)
def open_case(
    *,
    title: Annotated[str, typer.Argument(metavar="QUESTION", help="What is to be known.")],
    outcome: Annotated[
        list[str] | None, typer.Option(help="An outcome there may be; repeat it. Else any.")
    ] = None,
    enough: Annotated[str, typer.Option(help="How much agreement is enough.")] = "0.80",
    sources: Annotated[int, typer.Option(help="How many must have reported.")] = 2,
    collected: Annotated[
        bool, typer.Option("--collected", help="One caller may report for several sources.")
    ] = False,
    otherwise: Annotated[
        str, typer.Option(help="Who decides where they do not agree: people or majority.")
    ] = "people",
    approvers: Annotated[
        str | None, typer.Option(help="Whom to ask then; operators if not said.")
    ] = None,
    expires_after: Annotated[
        str, typer.Option(help="How long it waits for an outcome; a year at most.")
    ] = "30d",
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Open a case."""
    body: dict[str, Any] = {
        "title": title,
        "outcomes": outcome or None,
        "enough": enough,
        "sources": sources,
        "collected": collected,
        "otherwise": otherwise,
        "approvers": approvers,
        "expires_after": expires_after,
    }

    async def deed() -> None:
        async with doors(url) as server:
            made = await server.post("/api/cases", body)
        return print_json(made) if as_json else print_line(made["id"])

    finish(deed())


@verbs.command("signal", cls=Verb)
def report(
    *,
    case: CaseId,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Who reports.")],
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="What it reports.")],
    confidence: Annotated[str, typer.Option(help="How sure it is, from 0 to 1.")] = "1",
    signal_id: Annotated[
        str | None, typer.Option("--id", help="Its id, so that a repeat is harmless.")
    ] = None,
    meta: Annotated[str | None, typer.Option(help="Whatever else it says: JSON.")] = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Report what a source says."""
    body: dict[str, Any] = {"source": source, "outcome": outcome, "confidence": confidence}
    body |= {"id": signal_id, "meta": parsed(meta)}

    async def deed() -> None:
        async with doors(url) as server:
            told = await server.post(f"/api/cases/{segment(case)}/signals", body)
        if as_json:
            return print_json(told)
        seen = Case.model_validate(told["case"])
        ended = f": {seen.outcome}" if seen.outcome else ""
        return print_line(f"{told['reason']}; {seen.id} is {seen.status}{ended}.")

    finish(deed())


@verbs.command("list", cls=Verb)
def list_cases(
    *,
    status: Annotated[
        str | None,
        typer.Option(
            help="Only those: open, resolved_provisional, in_reconciliation, final, settled, "
            "expired or closed."
        ),
    ] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List cases, the newest first."""

    async def deed() -> None:
        async with doors(url) as server:
            page = await server.get("/api/cases", status=status, limit=limit, cursor=after)
        if as_json:
            return print_json(page)
        lines = [
            (each["id"], drawing.marked(each["status"]), each["outcome"] or "", each["title"])
            for each in page["cases"]
        ]
        show(drawing.table(("case", "status", "outcome", "question"), lines))
        say_rest("cases list", page, lines)
        return None

    finish(deed())


@verbs.command("show", cls=Verb)
def show_case(*, case: CaseId, as_json: AsJson = False, url: Url = None) -> None:
    """Show a case with what its sources say."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/cases/{segment(case)}")
        return print_json(found) if as_json else _draw(Case.model_validate(found))

    finish(deed())


@verbs.command("resolve", cls=Verb)
def resolve(
    *,
    case: CaseId,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="Which outcome holds.")],
    reason: Reason,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Say which outcome holds where the sources do not agree; operators only, in person."""

    async def deed() -> None:
        body = {"outcome": outcome, "reason": reason}
        async with doors(url) as server:
            made = await server.post(f"/api/cases/{segment(case)}/resolve", body)
        return print_json(made) if as_json else print_line(f"{case}: {made['outcome']}, final.")

    finish(deed())


@verbs.command("close", cls=Verb)
def close(*, case: CaseId, reason: Reason, as_json: AsJson = False, url: Url = None) -> None:
    """Leave a case without an outcome; operators only."""

    async def deed() -> None:
        async with doors(url) as server:
            made = await server.post(f"/api/cases/{segment(case)}/close", {"reason": reason})
        return print_json(made) if as_json else print_line(f"{case} is closed.")

    finish(deed())


def _draw(case: Case) -> None:
    print_line(f"{case.title}")
    print_line(f"status     {case.status}{f': {case.outcome}' if case.outcome else ''}")
    if case.decision is not None:
        by = ", ".join(case.decision.who)
        print_line(f"decided    by {case.decision.decided_by}: {by}")
    if case.question is not None:
        print_line(f"people     are asked in {case.question.approval}")
    if case.settlement is not None:
        print_line(f"settled    by {case.settlement}")
    if case.given_up is not None:
        print_line(f"given up   by {case.given_up.by}: {case.given_up.reason}")
    elif case.outcome is None and case.expires_at is not None:
        print_line(f"until      {drawing.moment(case.expires_at)}")
    amounts = case.standing
    print_line(f"agreement  {amounts.agreement} of {case.enough}, {amounts.heard} reported")
    rows = [
        (each.source, each.outcome, each.confidence, "late" if each.late else "", each.id)
        for each in case.signals
        if each.current or each.late
    ]
    show(drawing.table(("source", "outcome", "confidence", "", "signal"), rows))
