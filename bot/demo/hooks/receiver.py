"""The endpoint that webhooks are delivered to."""

from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.faults import Drop, Faults, play
from bot.demo.hooks.deliveries import Attempt, Deliveries, Delivery
from bot.demo.hooks.verification import objection
from bot.demo.trees import parsed, record
from engine.clock import Clock

DELIVERY = "delivery"


class Receiver:
    """Takes events at `/in`. `faults` queued for `DELIVERY` are met one by one."""

    def __init__(
        self, deliveries: Deliveries, *, secrets: Sequence[str], faults: Faults, clock: Clock
    ) -> None:
        self.route = Route("/in", self._take, methods=["POST"])
        self._deliveries = deliveries
        self._secrets = secrets
        self._faults = faults
        self._clock = clock

    async def _take(self, request: Request) -> Response:
        fault = self._faults.take(DELIVERY)
        response = await play(fault, request, partial(self._judged, request), clock=self._clock)
        status = 0 if isinstance(fault, Drop) else response.status_code
        reason = response.headers.get("x-reason", "")
        attempt = Attempt(
            at=self._clock.now(),
            message_id=request.headers.get("webhook-id", ""),
            status=status,
            reason=reason,
        )
        self._deliveries.attempts.append(attempt)
        self._deliveries.changes.announce()
        return response

    async def _judged(self, request: Request) -> Response:
        body = await request.body()
        now = self._clock.now()
        if refusal := objection(body, request.headers, secrets=self._secrets, now=now):
            return _refused(*refusal)
        delivery = Delivery(
            id=request.headers["webhook-id"], at=now, body=body, event=record(parsed(body))
        )
        if not self._deliveries.keep(delivery):
            return _refused(409, "This webhook-id came with another body before.")
        return Response(status_code=204)


def _refused(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status, headers={"X-Reason": reason})
