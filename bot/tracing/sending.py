"""Sends traces to whoever keeps them: beside the runs and never in their way, from what their journals say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import structlog

from bot.tracing.otlp import request, span_json
from engine.clock import Clock
from engine.digest import canonical
from engine.failpoints import Boundary
from engine.http import plain_client
from engine.rules.threads import Thread, is_kept
from engine.services import tracing
from engine.services.tracing import Due
from engine.store.database import Database

EVERY: Final = timedelta(seconds=5)
LONGEST_REST: Final = timedelta(minutes=5)
WITHIN: Final = timedelta(seconds=10)
SPANS_MAX: Final = 512  # in one request
AGAIN: Final = frozenset({429, 502, 503, 504})  # what OTLP says is to be tried again

TAKE: Final = Boundary("traces", breaks=lambda: ConnectionResetError("The line broke."))

_log = structlog.stdlib.get_logger("bot")


class NotTaken(Exception):
    """The collector did not take it and may later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Who keeps traces, and which share of them. `headers` may hold a secret."""

    url: str
    version: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    share: float = 1.0

    def keeps(self, thread: Thread) -> bool:
        """Whether a trace is sent: as its caller chose, else by its id."""
        if thread.is_told:
            return thread.is_sampled
        return is_kept(thread.trace, self.share)


class TraceSender:
    """Traces of every tenant. The journal is the queue: of several processes on one database one sends at
    a time, and what a collector does not take in an hour is left out.
    """

    def __init__(
        self, database: Database, collector: Collector, *, clock: Clock, name: str
    ) -> None:
        self._database, self._collector = database, collector
        self._clock, self._name = clock, name
        self._since = clock.now() - timedelta(microseconds=1)  # what happens from now on
        self._rest = EVERY

    async def work(self) -> None:
        """Look again and again, until cancelled; less often while nobody takes them."""
        while True:
            await self._clock.sleep(self._rest)
            try:
                await self.look()
            except Exception:  # border: whatever broke, the next look tries again
                _log.exception("traces.failed")

    async def look(self) -> int:
        """Send what is new; gives how many spans were taken."""
        before = await self._database.read(tracing.standing)
        after = self._since if before is None else before.at
        due = await self._database.read(lambda tx: tracing.due(tx, after))
        if not due.batches:
            return 0
        mine = await self._database.write(
            lambda tx: tracing.begin(tx, before, holder=self._name, since=self._since)
        )
        if mine is None:
            return 0
        sent = await self._send(due)
        at = mine.at if sent is None else due.until
        await self._database.write(lambda tx: tracing.end(tx, mine, at=at))
        return sent or 0

    async def _send(self, due: Due) -> int | None:
        """How many were sent; None if all are to be sent later."""
        if due.behind > timedelta(0):
            _log.warning("traces.left_out", seconds=int(due.behind.total_seconds()))
        spans = list(self._spans(due))
        try:
            async with plain_client(timeout=WITHIN) as client:
                for chunk in _chunks(spans):
                    body = canonical(request(chunk, version=self._collector.version))
                    headers = {**self._collector.headers, "Content-Type": "application/json"}
                    posted = client.post(self._collector.url, content=body, headers=headers)
                    answer = await TAKE.through(posted)
                    _heed(answer.status_code, answer.content)
        except Exception as error:  # border: a network, somebody else's server
            self._note_trouble(error)
            return None
        if self._rest > EVERY:
            _log.info("traces.taken_again")
        self._rest = EVERY
        return len(spans)

    def _spans(self, due: Due) -> Iterator[dict[str, Any]]:
        for batch in due.batches:
            thread = batch.trace.thread
            if self._collector.keeps(thread):
                yield from (span_json(span, thread) for span in batch.spans)

    def _note_trouble(self, error: Exception) -> None:
        if self._rest == EVERY:
            _log.warning("traces.not_taken", reason=str(error) or repr(error))
        self._rest = min(self._rest * 2, LONGEST_REST)


def _chunks(spans: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for begin in range(0, len(spans), SPANS_MAX):
        yield spans[begin : begin + SPANS_MAX]


def _heed(status: int, body: bytes) -> None:
    """Return if these spans are done with, though it may be that they are refused for good.

    Raises:
        NotTaken: if they are to be sent again.
    """
    if status in AGAIN:
        raise NotTaken(f"It answered {status}.")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        _log.warning("traces.refused", status=status)
    elif b'"rejectedSpans"' in body:
        _log.warning("traces.refused", status=status, answer=body[:500].decode(errors="replace"))
