"""A small server that speaks the documented shapes, and refuses whatever does not."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

KEY = "sk_test"
AT = "2026-01-15T12:00:00Z"
DIGEST = "sha256:" + "ab" * 32
TERMS: dict[str, type | tuple[type, ...]] = {
    "action": str,
    "title": str,
    "details": dict,
    "approvers": (str, list),
    "quorum": (int, str, dict),
    "reject_quorum": int,
    "ladder": list,
    "kind": str,
    "form": dict,
    "fields": list,
    "risk": str,
    "comment": str,
    "requester": str,
    "routes": dict,
    "callback_url": str,
}
Answer = tuple[int, dict[str, object]]


class Desk:
    """Remembers what was asked of it; a test says how each approval ends."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.firsts: dict[str, tuple[bytes, Answer]] = {}
        self.endings: list[dict[str, object]] = []
        self.polls_before_the_end = 0
        self.instead: list[Response] = []
        self.serial = count(1)

    def opened(self) -> list[dict[str, object]]:
        """The bodies of all different approvals asked for."""
        return [json.loads(body) for body, (status, _) in self.firsts.values() if status == 202]

    def end(self, status: str, **decision: object) -> None:
        """From now on, approvals end like this."""
        decided = {"outcome": status, "changes": None, "by": ["ana"], "rule": "votes", "at": AT}
        self.endings.append({"status": status, "decision": {**decided, **decision}})

    def answer(self, got: "Received") -> Response:
        self.received.append(got)
        if self.instead:
            return self.instead.pop(0)
        status, body = self._answer(got)
        media = "application/problem+json" if status >= 400 else "application/json"
        return JSONResponse(body, status_code=status, media_type=media)

    def _answer(self, got: "Received") -> Answer:
        if got.headers.get("authorization") != f"Bearer {KEY}":
            return problem(401, "not_allowed", "This key is not known.")
        match got.method, got.path.split("/")[1:]:
            case "POST", ["api", "approvals"]:
                return self._once(got, 202, _asked(got, f"apr_{next(self.serial)}"))
            case "POST", ["api", "runs"] if set(got.json()) == {"workflow", "input"}:
                return self._once(got, 201, {"id": f"run_{next(self.serial)}", "status": "created"})
            case "GET", ["api", "approvals", id]:
                return self._approval(id, got)
            case "GET", ["api", "runs", id]:
                return 200, {"id": id, "status": "completed", "workflow": "refund", "result": 7}
            case "POST", ["api", "runs" | "approvals", _, "cancel"] if got.json().get("reason"):
                return 200, {"status": "cancelled"}
            case _:
                return problem(422, "invalid", f"Nobody asks {got.method} {got.path} like that.")

    def _once(self, got: "Received", status: int, body: dict[str, object]) -> Answer:
        key = got.headers.get("idempotency-key", "")
        if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
            return problem(400, "idempotency_key_missing", "Send an Idempotency-Key.")
        if wrong := _wrong(got):
            return problem(422, "invalid", wrong)
        first, answer = self.firsts.setdefault(key, (got.body, (status, body)))
        if first != got.body:
            return problem(409, "idempotency_conflict", "This key came with another request.")
        return answer

    def _approval(self, id: str, got: "Received") -> Answer:
        if not id.startswith("apr_"):
            return problem(404, "not_found", f"There is no approval {id}.")
        if not re.fullmatch(r"|wait=([1-9]|[12]\d|30)", got.query):
            return problem(422, "invalid", "wait is a whole number of seconds up to 30.")
        is_over = bool(self.endings) and self.polls_before_the_end == 0
        self.polls_before_the_end -= 0 if is_over or not self.polls_before_the_end else 1
        ending = self.endings[0] if is_over else {"status": "open", "decision": None}
        return 200, {**_picture(id), **ending}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes

    def json(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


class Door:
    """The ASGI application; whoever sits at `desk` answers."""

    def __init__(self) -> None:
        self.desk = Desk()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        got = Received(
            method=request.method,
            path=request.scope["raw_path"].decode(),
            query=request.url.query,
            headers=request.headers,
            body=await request.body(),
        )
        await self.desk.answer(got)(scope, receive, send)


def problem(status: int, code: str, detail: str) -> Answer:
    return status, {"type": f"/problems/{code}", "status": status, "code": code, "detail": detail}


def _wrong(got: Received) -> str | None:
    if got.path != "/api/approvals":
        return None
    body = got.json()
    if unknown := body.keys() - TERMS.keys():
        return f"unknown: {', '.join(sorted(unknown))}"
    if missing := {"title", "approvers"} - body.keys():
        return f"missing: {', '.join(sorted(missing))}"
    wrong = [key for key, value in body.items() if not isinstance(value, TERMS[key])]
    return f"of the wrong type: {', '.join(wrong)}" if wrong else None


def _asked(got: Received, id: str) -> dict[str, object]:
    secret = {"callback_secret": "whsec_once"} if "callback_url" in got.json() else {}
    return {
        "id": id,
        "run": "run_1",
        "status": "open",
        "version": 1,
        "digest": DIGEST,
        "status_url": f"/api/approvals/{id}",
        "page_url": f"/approvals/{id}",
        "expires_at": AT,
        **secret,
    }


def _picture(id: str) -> dict[str, object]:
    return {
        "id": id,
        "run": "run_1",
        "version": 1,
        "digest": DIGEST,
        "action": "refund",
        "title": "Refund?",
        "details": {"order": "17"},
        "progress": {
            "approve": {"have": 1, "need": 2},
            "reject": {"have": 0, "need": 1},
            "groups": [],
            "can_still": ["bo"],
        },
        "votes": [
            {
                "person": "ana",
                "choice": "approve",
                "comment": None,
                "changes": None,
                "channel": "slack",
                "identified_by": "slack",
                "at": AT,
                "counted": True,
                "added_by_a_newer_server": 1,
            }
        ],
        "messages": [],
        "next_rung": None,
        "opened_at": AT,
        "expires_at": None,
    }
