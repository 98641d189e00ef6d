"""Answers as pages hear them: what a form says, who may give one, and the words for who may not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Form, Request

from engine.ids import PersonId, TenantId
from engine.rules import ballots
from engine.rules.states import ApprovalStatus
from engine.rules.tally import Choice
from engine.services.votes import Ballot
from engine.store import eligibility
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction

VOTE_WITHIN: Final = timedelta(
    seconds=5
)  # then it is not confirmed, and pressing again counts once
CHOICES: Final = tuple(Choice)
_CHANGES: Final = "changes."
_CHOICE: Final = rf"^(?:{'|'.join(CHOICES)}|agree:sha256:[0-9a-f]{{64}})$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a form says; `digest` is what its reader had before them."""

    choice: Choice
    comment: str | None
    digest: str
    typed: Mapping[str, str]  # what stands in the inputs of fields that may be changed

    def ballot(self, tenant: TenantId, approval: str, person: PersonId) -> Ballot:
        """The vote of somebody with a session in a browser."""
        return Ballot(
            tenant=tenant,
            approval=approval,
            person=person,
            choice=self.choice,
            comment=self.comment,
            digest=self.digest,
            typed=self.typed,
            channel="web",
            identified_by="session",
        )


async def said(
    request: Request,
    choice: Annotated[str, Form(pattern=_CHOICE)],
    comment: Annotated[str, Form()] = "",
    digest: Annotated[str, Form()] = "",
) -> Answer:
    """The answer of a form, its comment without blank ends and with line ends as everywhere else.

    `agree:` and a digest approve exactly the changes that the digest stands for.
    """
    written = comment.replace("\r\n", "\n").replace("\0", "").strip()
    answer, _, agreed = choice.partition(":")
    form = await request.form()
    return Answer(
        choice=Choice.APPROVE if agreed else Choice(answer),
        comment=written or None,
        digest=agreed or digest,
        typed={
            name.removeprefix(_CHANGES): value
            for name, value in form.items()
            if name.startswith(_CHANGES) and isinstance(value, str)
        },
    )


Said = Annotated[Answer, Depends(said)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MayVote:
    """Whether somebody may answer, and if not, the sentence that says why."""

    may: bool
    why: str = ""
    choices: tuple[Choice, ...] = CHOICES


def may_vote(tx: Transaction, row: ApprovalRow, person: PersonId) -> MayVote:
    """Whether the one door would take an answer of `person` now."""
    if person in row.excluded:
        return MayVote(
            may=False, why="You asked for this yourself, and nobody approves their own request."
        )
    if person not in eligibility.electorate(tx, row).pool:
        return MayVote(may=False, why="You are not one of the people who are asked.")
    if row.expires_at is not None and tx.now >= row.expires_at:
        return MayVote(
            may=False, why=f"The time for this ended on {ballots.moment(row.expires_at)}."
        )
    return MayVote(may=row.status is ApprovalStatus.OPEN)
