"""`signoff approvals`: what waits for people, and their votes; voting needs `signoff login`."""

import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from bot.cli import answering, changes, drawing
from bot.cli.approval_drawing import approval_picture
from bot.cli.approval_shapes import Approval
from bot.cli.connection import Url, doors, segment
from bot.cli.filled import form_of
from bot.cli.paging import After, Limit, say_rest
from bot.cli.tenant import Verb
from bot.cli.terminal import AsJson, finish, print_json, print_line, show

verbs = typer.Typer(name="approvals", help="See what is asked, and vote.", no_args_is_help=True)

ApprovalId = Annotated[str, typer.Argument(metavar="APPROVAL", help="The approval: apr_….")]
Comment = Annotated[str | None, typer.Option("--comment", "-m", help="Why; everybody sees it.")]


@verbs.command("list", cls=Verb)
def list_approvals(
    *,
    status: Annotated[
        str | None, typer.Option(help="In this state; open ones unless given, or `all`.")
    ] = "open",
    approver: Annotated[str | None, typer.Option(help="Only those this person may decide.")] = None,
    query: Annotated[str | None, typer.Option("--query", "-q", help="Words in them.")] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List approvals."""
    wanted = None if status == "all" else status

    async def deed() -> None:
        async with doors(url) as server:
            page = await server.get(
                "/api/approvals",
                status=wanted, approver=approver, q=query, limit=limit, cursor=after,
            )  # fmt: skip
        if as_json:
            return print_json(page)
        found = [Approval.model_validate(each) for each in page["approvals"]]
        show(
            drawing.table(
                ("approval", "title", "status", "votes", "ends"),
                [
                    (
                        each.id,
                        each.title,
                        drawing.marked(each.status),
                        f"{each.progress.approve.have} of {each.progress.approve.need}",
                        drawing.moment(each.expires_at),
                    )
                    for each in found
                ],
            )
        )
        nothing = "Nothing waits." if wanted == "open" else "There are none."
        say_rest("approvals list", page, found, nothing=nothing)
        return None

    finish(deed())


@verbs.command("show", cls=Verb)
def show_approval(*, approval: ApprovalId, as_json: AsJson = False, url: Url = None) -> None:
    """Show all that is asked, how the votes stand, and what happens next."""

    async def deed() -> None:
        async with doors(url) as server:
            found = await server.get(f"/api/approvals/{segment(approval)}")
        if as_json:
            return print_json(found)
        return show(approval_picture(Approval.model_validate(found)))

    finish(deed())


@verbs.command("approve", cls=Verb)
def approve(
    *,
    approval: ApprovalId,
    change: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE",
            help="Approve with another value of a field that may be changed; may be repeated.",
        ),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE",
            help="Fill in a field of a form; several options behind commas; may be repeated.",
        ),
    ] = None,
    as_person: Annotated[
        str | None,
        typer.Option("--as", metavar="PERSON", help="Approve exactly what this person approves."),
    ] = None,
    comment: Comment = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Vote for it, as whoever signed in with `signoff login`; what is approved is shown first.

    A form without an --answer is asked for in a terminal, a field at a time. Who says the same as
    somebody else agrees to the same thing.
    """
    said = _Said(
        choice="approve",
        comment=comment,
        changes=tuple(change or ()),
        answers=tuple(answer or ()),
        as_person=as_person,
    )
    finish(_vote(approval, said, as_json=as_json, url=url))


@verbs.command("reject", cls=Verb)
def reject(
    *, approval: ApprovalId, comment: Comment = None, as_json: AsJson = False, url: Url = None
) -> None:
    """Vote against it, as whoever signed in with `signoff login`."""
    said = _Said(choice="reject", comment=comment)
    finish(_vote(approval, said, as_json=as_json, url=url))


@verbs.command("extend", cls=Verb)
def extend(
    *,
    approval: ApprovalId,
    by: Annotated[str, typer.Option(help="How much longer, such as 2h or 30m.")],
    reason: Annotated[str, typer.Option(help="Why; kept and shown.")],
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Give people more time; what is planned after that moves too, and votes stay."""
    body = {"by": by, "reason": reason}
    finish(_operate(approval, "extend", body, as_json=as_json, url=url))


@verbs.command("cancel", cls=Verb)
def cancel(
    *,
    approval: ApprovalId,
    reason: Annotated[str, typer.Option(help="Why; kept and shown.")],
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Take back what is asked; its run learns of it."""
    finish(_operate(approval, "cancel", {"reason": reason}, as_json=as_json, url=url))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What somebody answers; `changes` and `answers` are written `field=value`."""

    choice: str
    comment: str | None
    changes: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    as_person: str | None = None

    def filled_in(self, approval: Approval, *, is_asked: bool) -> dict[str, object] | None:
        """What a form is filled in with; `is_asked` says that there is somebody to ask."""
        fields = form_of(approval)
        if self.choice != "approve" or not (fields or self.answers) or self.as_person is not None:
            return answering.read(self.answers, fields) if self.answers else None
        if is_asked and not self.answers and approval.status == "open":
            return answering.ask(fields)
        given = answering.read(self.answers, fields)
        answering.demand_all(fields, given)
        return given


async def _vote(approval: str, said: _Said, *, as_json: bool, url: str | None) -> None:
    path = f"/api/approvals/{segment(approval)}"
    async with doors(url, as_person=True) as server:
        seen = await server.get(path)
        approval_seen = Approval.model_validate(seen)
        if not as_json:
            show(approval_picture(approval_seen))
        # The digest of what was just shown: whatever is edited in between is not voted on.
        body: dict[str, Any] = {
            "choice": said.choice,
            "comment": said.comment,
            "digest": seen["digest"],
        }
        if said.changes:
            body["changes"] = changes.read(said.changes, seen)
        if said.as_person is not None:
            body["digest"] = answering.outcome_of(approval_seen, said.as_person)
        form = said.filled_in(approval_seen, is_asked=sys.stdin.isatty() and not as_json)
        if form is not None:
            body["form"] = form
        receipt = await server.post(f"{path}/votes", body)
    if as_json:
        return print_json(receipt)
    return print_line(receipt["message"])


async def _operate(
    approval: str, verb: str, body: dict[str, str], *, as_json: bool, url: str | None
) -> None:
    async with doors(url) as server:
        done: Any = await server.post(f"/api/approvals/{segment(approval)}/{verb}", body)
    if as_json:
        return print_json(done)
    return show(approval_picture(Approval.model_validate(done)))
