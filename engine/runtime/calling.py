"""HTTP steps: sent once their target is well, with the request id, and their failures told apart."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlsplit

from engine.digest import canonical
from engine.errors import EgressFailed
from engine.failpoints import Boundary
from engine.http import TOTAL, Answer, Egress, broken
from engine.outgoing import EgressRefused
from engine.rules.threads import span_id, thread_of
from engine.rules.wording import is_sequence, is_table
from engine.secrets import Secrets
from engine.services import breakers
from engine.store.database import Database
from engine.store.runs import Claim
from signoff.calls import Call, make_call
from signoff.effects import Declined, NoEffect
from signoff.http import REQUEST, HttpAnswer
from signoff.running import StepInfo
from signoff.undoing import Undo

KEY_HEADER: Final = "Idempotency-Key"
TRACE_HEADER: Final = "traceparent"
TAKEN: Final = frozenset({303, 304})  # besides 2xx
DID_NOTHING: Final = frozenset({425, 429})  # too early, too many
MAYBE_DONE: Final = frozenset({408, 409})  # it may still be at work on an earlier attempt
SAID_CHARS_MAX: Final = 300
PRIVATE: Final = frozenset(
    {"set-cookie", "set-cookie2"}
)  # of an answer: whoever has them is let in
_FIELD: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

HTTP: Final = Boundary("http", breaks=broken)


class Unanswered(Exception):
    """The target may have done it: there was no answer, or one that does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What goes along with an HTTP step and is not journaled."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout: timedelta = TOTAL


NOTHING_ALONG: Final = Sending()


class Caller:
    """Sends the HTTP steps of one run. Without an `egress` of its own, to public addresses alone.

    Those of a run that began with a trace say so, so that what they call is in the same trace.
    """

    def __init__(
        self,
        claim: Claim,
        database: Database,
        egress: Egress | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._claim, self._tenant, self._database = claim, claim.run.tenant, database
        self.egress, self.secrets = egress, secrets or Secrets()
        self.demand_lease: Callable[[], Awaitable[None]] = _nobody_else

    async def again_at(self, call: Call[object]) -> datetime | None:
        """When to ask again, where the target of an HTTP step rests; None for everything else."""
        if call.fn is not REQUEST:
            return None
        target, tenant = target_of(call), self._tenant
        if await self._database.read(lambda tx: breakers.is_closed(tx, tenant, target)):
            return None
        return await self._database.write(lambda tx: breakers.admit(tx, tenant, target))

    def sender(self, call: Call[object], sending: Sending, path: str) -> Callable[..., object]:
        """What an attempt calls: the step's function, or whatever sends the request that it stands for."""
        if call.fn is not REQUEST:
            return call.fn
        target = target_of(call)

        async def send(method: str, url: str, *, step: StepInfo, json: object = None) -> HttpAnswer:
            own = {KEY_HEADER: step.request_id, **self._traced(path)}
            headers = _headers(sending.headers, own, has_body=json is not None)
            try:
                headers = self.secrets.filled(headers, host=urlsplit(url).hostname or "")
                request = (self.egress or _public()).request(
                    method.upper(),
                    url,
                    headers=headers,
                    content=b"" if json is None else canonical(json),
                    timeout=sending.timeout,
                )
                answer = await HTTP.through(request)
            except EgressRefused as error:
                raise Declined(str(error)) from error
            except EgressFailed as error:
                await self._failed(target)
                raise (Unanswered if error.ambiguous else NoEffect)(str(error)) from error
            await (self._failed if answer.status >= 500 else self._answered)(target)
            return _taken(answer, self.secrets)

        return send

    async def undone(
        self, path: str, request: Mapping[str, Any], returned: object, *, step: StepInfo
    ) -> HttpAnswer:
        """Send the request that undoes the step at `path`, which `returned` that; only what it declared goes along.

        Raises:
            NoEffect, Declined, Unanswered: as a step that is a request; NoEffect also where what it
                returned lacks a field that the request names.
        """
        fields = _fields(returned)
        call = make_call(REQUEST, (request["method"], _named(request["url"], fields, quote)), {})
        sending = Sending(headers=request.get("headers") or {})
        send: Callable[..., Any] = self.sender(call, sending, path)
        body = _named(request.get("json"), fields, str)
        answer: HttpAnswer = await send(*call.args, step=step, json=body)
        return answer

    def _traced(self, path: str) -> Mapping[str, str]:
        run = self._claim.run
        created = self._claim.entries[0].data
        if "trace" not in created:
            return {}
        thread = thread_of(created, root=run.root, parent=run.parent, parent_path=run.parent_path)
        return {TRACE_HEADER: thread.traceparent(span_id(run.id, "step", path, "0"))}

    async def _failed(self, target: str) -> None:
        await self._database.write(lambda tx: breakers.failed(tx, self._tenant, target))

    async def _answered(self, target: str) -> None:
        if not await self._database.read(lambda tx: breakers.is_new(tx, self._tenant, target)):
            await self._database.write(lambda tx: breakers.answered(tx, self._tenant, target))


def http_call(method: str, url: str, json: object, *, undo: Undo | None) -> Call[object]:
    """The call that stands for an HTTP request; headers are no part of it."""
    given = {} if json is None else {"json": json}
    return make_call(REQUEST, (method, url), given, undo=undo)


async def _nobody_else() -> None:
    """Nobody else can hold the run: this process alone drives."""


@cache
def _public() -> Egress:
    # Reading the certificates takes tens of milliseconds: once is enough.
    return Egress()


def target_of(call: Call[object]) -> str:
    """Scheme, host and port of an HTTP step: those who share them share a breaker."""
    parts = urlsplit(str(call.args[1]))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def name_of_request(method: str, url: str) -> str:
    """What an HTTP step is called where its author does not say."""
    return f"{method.upper()} {urlsplit(url).hostname or url}"


def _headers(
    given: Mapping[str, str], added: Mapping[str, str], *, has_body: bool
) -> dict[str, str]:
    own = {**added, "Accept": "application/json"}
    if has_body:
        own["Content-Type"] = "application/json"
    said = {name.lower() for name in given}
    return {**{name: value for name, value in own.items() if name.lower() not in said}, **given}


def _fields(returned: object) -> Mapping[str, object]:
    """What a step returned, by name; of an HTTP answer its body."""
    if is_table(returned) and {"status", "headers", "body"} <= returned.keys():
        try:
            returned = json.loads(str(returned["body"]))
        except ValueError:
            return {}
    return {str(name): value for name, value in returned.items()} if is_table(returned) else {}


def _named(value: Any, fields: Mapping[str, object], spelled: Callable[[str], str]) -> Any:
    """`value` with `{name}` filled in wherever it is a text."""
    if isinstance(value, str):
        return _FIELD.sub(lambda found: spelled(_field(found[1], fields)), value)
    if is_table(value):
        return {key: _named(each, fields, spelled) for key, each in value.items()}
    return [_named(each, fields, spelled) for each in value] if is_sequence(value) else value


def _field(name: str, fields: Mapping[str, object]) -> str:
    if fields.get(name) is None:
        raise NoEffect(f"What the step returned has no {name!r}, which its undo names.")
    return str(fields[name])


def _taken(answer: Answer, secrets: Secrets) -> HttpAnswer:
    """The answer, if the target took the request.

    Raises:
        NoEffect, Declined, Unanswered: otherwise.
    """
    status, text = answer.status, secrets.hidden(answer.body.decode(errors="replace"))
    if 200 <= status < 300 or status in TAKEN:
        headers = {
            name: secrets.hidden(value)
            for name, value in answer.headers.items()
            if name.lower() not in PRIVATE
        }
        return HttpAnswer(status=status, headers=headers, body=text, cut=answer.cut)
    said = f"It answered {status}: {text[:SAID_CHARS_MAX]}".rstrip(": ")
    if status in DID_NOTHING:
        raise NoEffect(said)
    if status >= 500 or status in MAYBE_DONE:
        raise Unanswered(said)
    raise Declined(said)
