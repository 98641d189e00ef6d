"""The receiver as a web page: what came last, with a button for each answer."""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.hooks.callbacks import Callbacks, NotAnswerable, Proof
from bot.demo.hooks.deliveries import Deliveries
from bot.demo.pages import Nav, back_to, is_foreign, page, refused

SHOWN = 50


class HooksPage:
    """Shows the latest deliveries and refused attempts, and sends callbacks."""

    def __init__(self, deliveries: Deliveries, callbacks: Callbacks, nav: Nav) -> None:
        self._deliveries = deliveries
        self._callbacks = callbacks
        self._nav = nav
        self.routes = [
            Route("/", self._list),
            Route("/changes", deliveries.changes.stream),
            Route("/answer", self._answer, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        attempts = self._deliveries.attempts
        context: dict[str, object] = {
            "title": "Webhooks",
            "deliveries": self._deliveries.received()[: -SHOWN - 1 : -1],
            "ended": self._deliveries.ended(),
            "refused": [one for one in attempts[: -SHOWN - 1 : -1] if not 200 <= one.status < 300],
            "proofs": [Proof.SIGNATURE, Proof.BEARER],
        }
        return page(request, "hooks/list.html", self._nav, context)

    async def _answer(self, request: Request) -> Response:
        if is_foreign(request):
            return refused()
        form = await request.form()
        delivery = self._deliveries.find(str(form.get("delivery", "")))
        proof = Proof.BEARER if form.get("proof") == Proof.BEARER else Proof.SIGNATURE
        choice, comment = str(form.get("choice", "")), str(form.get("comment", ""))
        if delivery is not None:
            with suppress(NotAnswerable):
                await self._callbacks.answer(delivery, choice, comment, proof=proof)
        return back_to(request, "/")
