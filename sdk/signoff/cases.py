"""Cases: several sources report an outcome, and an effect may require that it is final."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypedDict, TypeVar, Unpack
from urllib.parse import quote

import httpx
from pydantic import Field, ValidationError

from signoff.answers import Answer
from signoff.errors import SignoffError
from signoff.wire import Request, exchange

A = TypeVar("A", bound=Answer)

FINAL: Final = frozenset({"final", "settled"})


class Signal(Answer):
    """What a source reported once; only what is `current` and not `late` counts."""

    id: str
    source: str
    outcome: str
    confidence: Decimal
    meta: Mapping[str, object] = Field(default_factory=dict)
    current: bool
    late: bool
    received_at: datetime


class Support(Answer):
    """Who says one outcome, and how much of all certainty that is."""

    outcome: str
    sources: tuple[str, ...]
    agreement: Decimal


class Standing(Answer):
    """What the current signals amount to; nobody leads in a tie."""

    state: str
    heard: int
    leading: str | None = None
    agreement: Decimal
    tally: tuple[Support, ...] = ()


class Decided(Answer):
    """What made the outcome final: consensus, majority, people or operator."""

    outcome: str
    decided_by: str
    who: tuple[str, ...]
    reason: str | None = None
    at: datetime


class GivenUp(Answer):
    """By whom or what, why and when a case was left without an outcome."""

    by: str
    reason: str
    at: datetime


class Question(Answer):
    """Where people are asked which outcome holds."""

    run: str
    approval: str


class Case(Answer):
    """One case as it stood when it was read; in a list without its signals."""

    id: str
    title: str
    status: str
    outcome: str | None = None
    enough: Decimal
    sources: int
    decision: Decided | None = None
    settlement: str | None = None
    standing: Standing | None = None
    signals: tuple[Signal, ...] = ()
    question: Question | None = None
    expires_at: datetime | None = None
    given_up: GivenUp | None = None

    @property
    def is_final(self) -> bool:
        """Whether the outcome stands for good."""
        return self.status in FINAL

    @property
    def is_given_up(self) -> bool:
        """Whether it has expired or was closed, and there will be no outcome."""
        return self.given_up is not None


class Reported(Answer):
    """What became of a signal: `counted`, or `repeated` or `late`, as `reason` says."""

    counted: bool
    reason: str
    signal: Signal
    case: Case


class CasePage(Answer):
    """Cases, newest first; `next` leads to those that follow."""

    cases: tuple[Case, ...]
    next: str | None = None


class CaseTerms(TypedDict, total=False):
    """What a case demands of its sources.

    `enough` is how much of all certainty must speak for one outcome (`"0.80"`, inclusive) and
    `sources` how many must have reported (2 at least). `collected` lets one caller report for
    several sources. `otherwise` is who decides where they do not agree, and `approvers` whom to ask.
    After `expires_after` (`"30d"`) a case without an outcome is given up.
    """

    outcomes: Sequence[str]
    enough: str
    sources: int
    collected: bool
    otherwise: Literal["people", "majority"]
    approvers: str | Sequence[str]
    expires_after: str


class Cases:
    """The cases of a server, through `Client.cases`."""

    def __init__(self, http: httpx.AsyncClient, *, retry_every: timedelta) -> None:
        self._http, self._retry_every = http, retry_every

    async def open(
        self, title: str, *, idempotency_key: str | None = None, **terms: Unpack[CaseTerms]
    ) -> Case:
        """Open a case; the same `idempotency_key` names the same one.

        Raises:
            SignoffError: if the server refuses the terms.
        """
        key = idempotency_key or str(uuid.uuid4())
        body: dict[str, object] = {"title": title, **terms}
        asked = Request(method="POST", path="/api/cases", body=body, idempotency_key=key)
        return await self._answer(asked, Case)

    async def signal(
        self,
        case: str,
        source: str,
        outcome: str,
        *,
        confidence: str | Decimal = "1",
        id: str | None = None,
        meta: Mapping[str, object] | None = None,
    ) -> Reported:
        """Report what `source` says; it takes the place of what that source said before.

        Give an `id` that names the event, and reporting it again changes nothing.

        Raises:
            SignoffError: `signal_conflict`, if that id came with something else; `source_taken` or
                `one_source_each`, unless the case is collected.
        """
        body: dict[str, object] = {"source": source, "outcome": outcome}
        body |= {"confidence": str(confidence), "id": id or str(uuid.uuid4()), "meta": meta}
        path = f"/api/cases/{quote(case, safe='')}/signals"
        said = Request(method="POST", path=path, body=body, idempotency_key=str(body["id"]))
        return await self._answer(said, Reported)

    async def close(self, case: str, *, reason: str) -> Case:
        """Leave a case without an outcome; the key needs the scope `operate`. Again, it changes nothing.

        Raises:
            SignoffError: `already_final`, if there is an outcome; `case_given_up`, if it has expired.
        """
        path = f"/api/cases/{quote(case, safe='')}/close"
        body: dict[str, object] = {"reason": reason}
        return await self._answer(Request(method="POST", path=path, body=body), Case)

    async def get(self, case: str) -> Case:
        """The case as it stands."""
        path = f"/api/cases/{quote(case, safe='')}"
        return await self._answer(Request(method="GET", path=path), Case)

    async def list(self, *, status: str | None = None, after: str | None = None) -> CasePage:
        """A page of cases, newest first; `after` is the `next` of the page before."""
        query = {"status": status, "cursor": after}
        given = {name: value for name, value in query.items() if value is not None}
        return await self._answer(Request(method="GET", path="/api/cases", query=given), CasePage)

    async def _answer(self, request: Request, shape: type[A]) -> A:
        body = await exchange(self._http, request, retry_every=self._retry_every)
        try:
            return shape.model_validate_json(body)
        except ValidationError:
            raise SignoffError(
                "bad_answer", 200, f"{self._http.base_url} does not answer like Signoff."
            ) from None
