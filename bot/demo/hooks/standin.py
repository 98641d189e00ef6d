"""The webhook stand-in, assembled: the endpoint, its memory, its answers and its page."""

from collections.abc import Sequence

from starlette.applications import Starlette

from bot.demo.faults import Fault, Faults
from bot.demo.hooks.callbacks import Callbacks
from bot.demo.hooks.deliveries import Attempt, Deliveries, Delivery
from bot.demo.hooks.page import HooksPage
from bot.demo.hooks.receiver import DELIVERY, Receiver
from bot.demo.hooks.verification import checked_secret
from bot.demo.pages import STATIC, Nav
from engine.clock import Clock
from engine.ids import Ids


class HooksStandIn:
    """Another system that hears by webhook. `secrets` verify; the first also signs callbacks.

    Raises:
        ValueError: if a secret is not one that Standard Webhooks allows.
    """

    def __init__(
        self, secrets: Sequence[str], *, clock: Clock, ids: Ids, nav: Nav | None = None
    ) -> None:
        self.secrets = [checked_secret(secret) for secret in secrets]
        self.deliveries = Deliveries()
        self.faults = Faults()
        self.callbacks = Callbacks(self.deliveries, secret=self.secrets[0], clock=clock, ids=ids)
        receiver = Receiver(self.deliveries, secrets=self.secrets, faults=self.faults, clock=clock)
        page = HooksPage(self.deliveries, self.callbacks, nav or Nav())
        self.app = Starlette(routes=[receiver.route, *page.routes, STATIC])
        self.base = ""

    @property
    def url(self) -> str:
        """What `[webhooks.…] url` is to be."""
        return f"{self.base}/in"

    @property
    def attempts(self) -> list[Attempt]:
        """Every delivery that was tried, in order."""
        return self.deliveries.attempts

    def at(self, base: str) -> None:
        """Say where the stand-in is served."""
        self.base = base.rstrip("/")

    def trouble(self, fault: Fault, *, times: int = 1) -> None:
        """Meet the next `times` deliveries with `fault`."""
        self.faults.add(DELIVERY, fault, times=times)

    def received(self, type: str = "") -> list[Delivery]:
        """The events of one type, or all, oldest first."""
        return self.deliveries.received(type)

    async def arrival(self, type: str = "", *, number: int = 1) -> Delivery:
        """The `number`th event of that type, waited for.

        Raises:
            TimeoutError: if it did not come in time.
        """
        return await self.deliveries.arrival(type, number=number)
