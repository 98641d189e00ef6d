"""Voting over HTTP: people only, through the one door."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse

from bot.application import Application
from bot.web.api import shapes
from bot.web.api.paging import Id
from bot.web.callers import CurrentVisitor, current_person, scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.ids import PersonId
from engine.rules.tally import Choice
from engine.services import votes
from engine.services.votes import Ballot, CastReceipt

router = APIRouter(prefix="/api/approvals", tags=["approvals"], route_class=StrictRoute)

CONFIRM_WITHIN: Final = timedelta(seconds=30)  # a thousand votes at once are confirmed by then


class VoteBody(BaseModel):
    """An answer to what was looked at, named by its `digest` or its `version`.

    If it was edited since, the vote is refused; one that names neither is not understood. With the
    `digest` of one of its `outcomes` it agrees to exactly the changes of that one.
    """

    model_config = ConfigDict(extra="forbid")

    choice: Choice
    comment: Annotated[str | None, Field(description="At most 2,000 characters.")] = None
    digest: Annotated[str | None, Field(pattern=r"^sha256:[0-9a-f]{64}$")] = None
    version: Annotated[int | None, Field(strict=True)] = None
    changes: Annotated[
        dict[str, Any] | None,
        Field(description="New values of the `fields` that approvers may change."),
    ] = None
    form: Annotated[
        dict[str, Any] | None, Field(description="What the approval's form is filled in with.")
    ] = None

    @model_validator(mode="after")
    def _says_what_was_seen(self) -> Self:
        if self.digest is None and self.version is None:
            raise ValueError("give the digest of what was looked at")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    """A person who is signed in, and the application as their tenant has it."""

    person: PersonId
    channel: str
    application: Application


async def current_voter(request: Request, visitor: CurrentVisitor) -> Voter:
    """Who votes. One dependency in place of three: each costs a crowd as much as a statement."""
    return Voter(
        person=await current_person(visitor),
        channel=visitor.channel,
        application=await scoped(request),
    )


CurrentVoter = Annotated[Voter, Depends(current_voter)]


@router.post(
    "/{id}/votes",
    summary="Vote on an approval",
    response_model=shapes.Receipt,
    responses=refusals(404, 409, 413, 415),
)
async def vote(voter: CurrentVoter, id: Id, body: VoteBody) -> JSONResponse:
    """Vote, as the person who is signed in; keys cannot. The last answer before the decision counts.

    `recorded` is said only once it is durable. 503 `not_recorded` means that it may be: voting
    again counts once.
    """
    ballot = Ballot(
        tenant=voter.application.tenant,
        approval=id,
        person=voter.person,
        choice=body.choice,
        comment=body.comment,
        digest=body.digest,
        version=body.version,
        changes=body.changes,
        form=body.form,
        channel=voter.channel,
        identified_by="session",
    )
    receipt = await votes.vote(voter.application.database, ballot, within=CONFIRM_WITHIN)
    return JSONResponse(shown(receipt))


def shown(receipt: CastReceipt) -> dict[str, object]:
    """What became of a vote, as every door for programs answers it."""
    return {
        "recorded": receipt.recorded,
        "counted": receipt.counted,
        "status": receipt.status,
        "message": receipt.message,
    }
