"""What the runs do things to: it keeps a ledger of every call, and does each request once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.chaos.checker.violations import Effect
from bot.chaos.dice import Dice
from engine.clock import Clock

SHORTEST: Final = timedelta(milliseconds=5)
LONGEST: Final = timedelta(milliseconds=600)


class Target:
    """Answers slowly, so that whoever calls may die before or after; a repeat has the first answer."""

    def __init__(self, clock: Clock, dice: Dice) -> None:
        self.route = Route("/effects", self._called, methods=["GET", "POST"])
        self.calls: list[Effect] = []
        self.made: list[str] = []  # the receipts under which something was made, once for each time
        self._clock, self._dice = clock, dice

    @property
    def done(self) -> int:
        """How many different things were done."""
        return len({call.request for call in self.calls})

    def by(self, who: str) -> Iterator[Effect]:
        """The calls of one process."""
        return (call for call in self.calls if call.who == who)

    async def _called(self, request: Request) -> Response:
        if request.method != "POST":
            wanted = request.query_params["request"]
            return JSONResponse({"done": any(call.request == wanted for call in self.calls)})
        try:
            said: dict[str, Any] = await request.json()
        except ClientDisconnect:
            return Response(status_code=400)  # its caller died in the middle: nothing was asked
        self.calls.append(
            Effect(
                request=said["request"],
                name=said["name"],
                args=tuple(said["args"]),
                needs_consent=said["needs_consent"],
                who=said["who"],
                at=said["sent"],
            )
        )
        await self._clock.sleep(self._dice.between(SHORTEST, LONGEST))
        return JSONResponse({"done": said["request"]})
