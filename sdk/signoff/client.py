"""Asking from anywhere: a small client of the server's HTTP interface."""

import asyncio
import json
import ssl
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from math import ceil
from types import TracebackType
from typing import Final, Self, TypeVar, Unpack
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from signoff.access import checked_key, checked_url
from signoff.answers import Answer, Approval, RollbackPlan, RunInfo
from signoff.asking import AskTerms, check_terms
from signoff.cases import Cases
from signoff.errors import SignoffError
from signoff.ledger import HttpLedger
from signoff.outcomes import Decision
from signoff.permitting import Permits
from signoff.receipts import Receipts
from signoff.wire import BUSY, Request, exchange

A = TypeVar("A", bound=Answer)

POLL_MAX: Final = timedelta(seconds=30)
SILENCE_MAX: Final = timedelta(minutes=10)


class Client:
    """One server, one API key. `async with Client() as signoff:` closes its connections.

    Without `url` and `key`, SIGNOFF_URL (else this machine's port 8080) and SIGNOFF_API_KEY count.
    Whatever fails on the way is tried again where that is safe, with pauses that begin at
    `retry_every`; whatever the server refuses is a `SignoffError`.

    Raises:
        SignoffError: `bad_url` or `no_key`, if there is no server or key to speak of.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        retry_every: timedelta = timedelta(milliseconds=250),
    ) -> None:
        self._retry_every = retry_every
        self._http = httpx.AsyncClient(
            base_url=checked_url(url),
            headers={"Authorization": f"Bearer {checked_key(key)}", "Accept": "application/json"},
            transport=transport,
            verify=_tls(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; twice is fine."""
        await self._http.aclose()

    async def ask(
        self, title: str, *, idempotency_key: str | None = None, **terms: Unpack[AskTerms]
    ) -> Approval:
        """Open an approval and return at once, while people think.

        Each call is a new request, however often it had to be sent. Give an `idempotency_key`
        that names the occasion (`order-17-refund`) to get the same approval from a second call,
        too, say after the script crashed; its decision may have fallen by then.

        Raises:
            SignoffError: if the server refuses; `idempotency_conflict` if that key came with
                other words before.
            TypeError: for a term that does not exist.
        """
        check_terms(terms, AskTerms)
        key = idempotency_key or str(uuid.uuid4())
        body = _json({"title": title, **terms})
        asked = Request(method="POST", path="/api/approvals", body=body, idempotency_key=key)
        return await self._answer(asked, Approval)

    async def approval(self, id: str, *, wait: timedelta = timedelta(0)) -> Approval:
        """The approval as it stands; with `wait`, once it ends, or after at most 30 seconds."""
        wait = min(wait, POLL_MAX)
        query = {"wait": str(ceil(wait.total_seconds()))} if wait else {}
        read = Request(method="GET", path=f"/api/approvals/{_segment(id)}", query=query, lasts=wait)
        return await self._answer(read, Approval)

    async def wait(self, id: str, *, timeout: timedelta | None = None) -> Decision:
        """Wait until the approval ends; without `timeout`, for as long as that takes.

        Outlives restarts of the server: only ten minutes without any answer end the wait.

        Raises:
            Rejected, Expired, ChangesRequested, Cancelled: if it ended like that.
            TimeoutError: if it is still open after `timeout`; it stays open.
            SignoffError: if the server refuses, or stays away.
        """
        until = None if timeout is None else time.monotonic() + timeout.total_seconds()
        heard = time.monotonic()
        while True:
            began = time.monotonic()
            try:
                seen = await self.approval(id, wait=_rest(until))
            except SignoffError as error:
                if not _is_away(error) or began - heard > SILENCE_MAX.total_seconds():
                    raise
            else:
                heard = time.monotonic()
                if not seen.is_open:
                    return seen.decided()
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"Approval {id} is still open.")
            # A server, or a proxy before it, may answer sooner than it was asked to.
            await asyncio.sleep(
                max(0.0, began + self._retry_every.total_seconds() - time.monotonic())
            )

    async def start(
        self,
        workflow: str,
        arguments: Mapping[str, object] | None = None,
        *,
        budget: Mapping[str, object] | None = None,
        notify: Sequence[str] = (),
        sandbox: bool | Mapping[str, object] = False,
        idempotency_key: str | None = None,
    ) -> RunInfo:
        """Start a run. As with `ask`, the same `idempotency_key` names the same run.

        `budget` is what it may spend at most, such as `{"usd": "10.00", "tokens": 50000}`; `notify`
        who is told when it waits, is stuck or ends: `https://…`, `mailto:…`, `slack:#ops`. In a `sandbox`
        no step is done: each returns what is given for it by its name there, else None.
        """
        given: dict[str, object] = {"workflow": workflow, "input": dict(arguments or {})}
        if budget is not None:
            given["budget"] = dict(budget)
        if notify:
            given["notify"] = list(notify)
        if sandbox is not False:
            given["sandbox"] = sandbox if sandbox is True else dict(sandbox)
        body = _json(given)
        key = idempotency_key or str(uuid.uuid4())
        started = Request(method="POST", path="/api/runs", body=body, idempotency_key=key)
        return await self._answer(started, RunInfo)

    async def run(self, id: str) -> RunInfo:
        """The run as it stands."""
        return await self._answer(Request(method="GET", path=f"/api/runs/{_segment(id)}"), RunInfo)

    async def rollback_plan(self, id: str, *, to: str | None = None) -> RollbackPlan:
        """What a rollback of the run to `to` would undo at this moment, and what it would leave."""
        query = {} if to is None else {"to": to}
        path = f"/api/runs/{_segment(id)}/rollback"
        return await self._answer(Request(method="GET", path=path, query=query), RollbackPlan)

    async def rollback(
        self,
        id: str,
        *,
        reason: str,
        to: str | None = None,
        resume: bool = False,
        only: Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
    ) -> RunInfo:
        """Have the run undo what it did after `to`, newest first; needs a key with the scope `operate`.

        `to` is a checkpoint, `start`, `latest`, `approved` or `failure`. With `resume` it then goes on
        from there. `only` names steps, and `kinds` their kinds, where not all are to be undone. What
        became of it is `(await client.run(id)).rollback`.

        Raises:
            SignoffError: `run_driven` while it is inside a step: try again, or pause it first;
                `unknown_checkpoint`, `unknown_step`, `unknown_undo_kind`, `cannot_go_on`, `run_ended`.
        """
        said = {"reason": reason, "to": to, "mode": "resume" if resume else "stop"}
        some = {"only": only, "kinds": kinds}
        body = {**said, **{name: list(each) for name, each in some.items() if each is not None}}
        path = f"/api/runs/{_segment(id)}/rollback"
        ordered = Request(method="POST", path=path, body=body)
        await exchange(self._http, ordered, retry_every=self._retry_every)
        return await self.run(id)

    async def cancel(self, id: str, *, reason: str) -> None:
        """Withdraw an approval, or stop a run, by its id (`apr_…`, `run_…`).

        Raises:
            SignoffError: if it has ended already, or is not this key's to cancel.
        """
        kind = "approvals" if id.startswith("apr_") else "runs"
        path = f"/api/{kind}/{_segment(id)}/cancel"
        cancelled = Request(method="POST", path=path, body={"reason": reason})
        await exchange(self._http, cancelled, retry_every=self._retry_every)

    @property
    def receipts(self) -> Receipts:
        """Effects that happen once: `await client.receipts.once(request_id, action, payload, effect)`."""
        return Receipts(HttpLedger(self._http, retry_every=self._retry_every))

    @property
    def permits(self) -> Permits:
        """What a target asks to see: `await client.permits.spend(token, spend_id, audience=…, …)`."""
        return Permits(self._http, retry_every=self._retry_every)

    @property
    def cases(self) -> Cases:
        """What several sources report: `await client.cases.signal(case, source, outcome)`."""
        return Cases(self._http, retry_every=self._retry_every)

    async def _answer(self, request: Request, shape: type[A]) -> A:
        body = await exchange(self._http, request, retry_every=self._retry_every)
        try:
            return shape.model_validate_json(body)
        except ValidationError:
            raise SignoffError(
                "bad_answer", 200, f"{self._http.base_url} does not answer like Signoff."
            ) from None


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes tens of milliseconds: once is enough.
    return httpx.create_ssl_context()


def ask(
    title: str,
    *,
    timeout: timedelta | None = None,
    idempotency_key: str | None = None,
    **terms: Unpack[AskTerms],
) -> Decision:
    """Ask and wait, in a script: returns if people agree and raises if they do not.

    The server and the key are SIGNOFF_URL and SIGNOFF_API_KEY. Interrupted or timed out, the
    approval stays open; with an `idempotency_key` a second call goes on waiting for it.

    Raises:
        Rejected, Expired, ChangesRequested, Cancelled: if it ended like that.
        TimeoutError: if it is still open after `timeout`.
        SignoffError: if the server refuses or cannot be reached.
        RuntimeError: inside async code, which waits with `Client` instead.
    """
    if _is_async():
        raise RuntimeError("ask() would stop the event loop. Use `async with Client() as signoff`.")

    async def ask_and_wait() -> Decision:
        async with Client() as client:
            asked = await client.ask(title, idempotency_key=idempotency_key, **terms)
            return await client.wait(asked.id, timeout=timeout)

    return asyncio.run(ask_and_wait())


def _is_async() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _rest(until: float | None) -> timedelta:
    if until is None:
        return POLL_MAX
    return max(timedelta(0), timedelta(seconds=until - time.monotonic()))


def _is_away(error: SignoffError) -> bool:
    return error.code == "unreachable" or error.status in BUSY


def _json(body: dict[str, object]) -> dict[str, object]:
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SignoffError("not_json", 0, f"This cannot be sent as JSON: {error}.") from None
    return body


def _segment(id: str) -> str:
    return quote(id, safe="")
