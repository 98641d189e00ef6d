"""Answers as pages hear them: what a form says, who may give one, and the words for who may not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Depends, Form, Request
from starlette.datastructures import FormData

from bot.web.form_fields import CHANGES, COMMENT, FORM, Sent
from engine.errors import EngineError, Invalid, Superseded
from engine.ids import PersonId, TenantId
from engine.rules import ballots
from engine.rules.states import ApprovalStatus
from engine.rules.tally import Choice
from engine.rules.values import BadChange
from engine.services.votes import Ballot
from engine.store import eligibility
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction

VOTE_WITHIN: Final = timedelta(
    seconds=5
)  # then it is not confirmed, and pressing again counts once
CHOICES: Final = tuple(Choice)
_INPUTS: Final = (FORM, CHANGES)
_OF_THE_COMMENT: Final = frozenset({"comment_required", "comment_too_long"})
_CHOICE: Final = rf"^(?:{'|'.join(CHOICES)}|agree:sha256:[0-9a-f]{{64}})$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a form says; `digest` is what its reader had before them."""

    choice: Choice
    comment: str | None
    digest: str
    typed: Mapping[str, str]  # what stands in the inputs of fields that are asked or may be changed
    sent: Sent  # all of it as it was sent, to stand there again where it is refused

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

    def refused(self, error: EngineError) -> Sent:
        """What was sent, with the refusal beside what it is about.

        Whatever was changed is not taken along to another version: it may ask for something else.
        """
        is_edited = isinstance(error, Superseded)
        typed = {
            name: text
            for name, text in self.sent.typed.items()
            if not (is_edited and name.startswith(CHANGES))
        }
        return replace(self.sent, typed=typed, field=_about(error), refusal=str(error))


def _about(error: EngineError) -> str:
    if isinstance(error, BadChange):
        return error.field
    return COMMENT if error.code in _OF_THE_COMMENT else ""


async def said(
    request: Request,
    choice: Annotated[str, Form(pattern=_CHOICE)],
    comment: Annotated[str, Form()] = "",
    digest: Annotated[str, Form()] = "",
) -> Answer:
    """The answer of a form, its comment without blank ends and with line ends as everywhere else.

    `agree:` and a digest approve exactly the outcome that the digest stands for: inputs mean nothing.

    Raises:
        Invalid: `invalid_request`, for one field under two names, and for a file.
    """
    written = comment.replace("\r\n", "\n").replace("\0", "").strip()
    answer, _, agreed = choice.partition(":")
    inputs = _inputs(await request.form())
    return Answer(
        choice=Choice.APPROVE if agreed else Choice(answer),
        comment=written or None,
        digest=agreed or digest,
        typed={} if agreed else _by_field(inputs),
        sent=Sent(choice=choice, comment=comment, typed=inputs),
    )


def _inputs(form: FormData) -> dict[str, str]:
    """The texts of inputs; where several are chosen, one on a line each."""
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if name.startswith(_INPUTS):
            if not isinstance(value, str):
                raise Invalid("A file is no answer.", code="invalid_request")
            # Boxes to tick come with an empty text before them, so that no tick is an answer as well.
            found.setdefault(name, []).extend([value] if value else [])
    return {name: "\n".join(values) for name, values in found.items()}


def _by_field(inputs: Mapping[str, str]) -> dict[str, str]:
    typed = {name.partition(".")[2]: text for name, text in inputs.items()}
    if len(typed) != len(inputs):
        raise Invalid("A field is there under two names.", code="invalid_request")
    return typed


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
