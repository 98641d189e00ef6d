"""A target of HTTP steps that answers as a test says, and the workflows that call it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from bot.demo.serving import hang_up, served
from signoff import Compensation, HttpUndo, Run, workflow

SILENCE = 0  # hang up without an answer


@dataclass
class Target:
    """Takes requests; `answers` are the next statuses, and 200 where there is none."""

    url: str = ""
    answers: list[int] = field(default_factory=list[int])
    keys: list[str] = field(default_factory=list[str])
    bodies: list[bytes] = field(default_factory=list[bytes])
    echoes: bool = False  # what it is told for authorization
    asked: list[str] = field(default_factory=list[str])  # methods and paths
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        self.keys.append(request.headers["idempotency-key"])
        self.asked.append(f"{request.method} {request.url.path}")
        self.headers.append(dict(request.headers))
        status = self.answers.pop(0) if self.answers else 200
        if status == SILENCE:
            return await hang_up(request)
        self.bodies.append(await request.body())
        told: dict[str, object] = {"charge": len(self.keys)}
        if self.echoes:
            told["as"] = request.headers.get("authorization")
        return JSONResponse(told, status, {"Set-Cookie": "session=hush-as-well"})


@asynccontextmanager
async def target() -> AsyncGenerator[Target]:
    """A target that listens on this machine."""
    made = Target()
    async with served(made) as url:
        made.url = url
        yield made


@workflow
async def charging(
    run: Run, url: str, irreversible: bool = False, retries: int | None = None
) -> object:
    """One HTTP step."""
    answer = await run.http(
        "POST",
        f"{url}/charges",
        json={"b": "2", "a": "1"},
        headers={"Authorization": "Bearer hush"},
        irreversible=irreversible,
        retries=retries,
    )
    return answer.json()


@workflow
async def undone_by_request(run: Run, url: str, undo: str = "/charges/{charge}") -> None:
    """An HTTP step that a request takes back, with a secret of its own."""
    headers = {"Authorization": "Bearer ${secret.BANK}"}
    back = HttpUndo("DELETE", f"{url}{undo}", json={"why": "rejected {charge}"}, headers=headers)
    terms = Compensation(back, retries=2)
    await run.http("POST", f"{url}/charges", json={}, headers=headers, undo=terms)
    await run.approval("Keep it?", approvers="person:ana")
