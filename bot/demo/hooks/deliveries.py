"""What arrived: each event once, however often it was delivered, and every attempt."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.demo.changes import Changes
from bot.demo.outgoing import Reply
from bot.demo.trees import Record, record, text


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event. `repeats` counts the deliveries of the same id after the first."""

    id: str
    at: datetime
    body: bytes
    event: Record
    repeats: int = 0
    answers: list[Reply] = field(default_factory=list[Reply])

    @property
    def type(self) -> str:
        """Such as `approval.opened`."""
        return text(self.event, "type")

    @property
    def data(self) -> Record:
        """What happened."""
        return record(self.event.get("data"))

    @property
    def approval(self) -> Record:
        """The approval it happened to; empty when it was something else."""
        return record(self.data.get("approval"))

    @property
    def actions(self) -> Record:
        """Where and how it can be answered; empty when it cannot."""
        return record(self.data.get("actions"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request, whatever became of it. Status 0 means that it got no answer."""

    at: datetime
    message_id: str
    status: int
    reason: str = ""


class Deliveries:
    """The events by id, and all attempts in their order."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.attempts: list[Attempt] = []
        self._events: dict[str, Delivery] = {}

    def keep(self, delivery: Delivery) -> bool:
        """Take an event; a repeat is counted. False when the id came with another body."""
        known = self._events.setdefault(delivery.id, delivery)
        if known.body != delivery.body:
            return False
        if known is not delivery:
            known.repeats += 1
        self.changes.announce()
        return True

    def received(self, type: str = "") -> list[Delivery]:
        """The events of one type, or all, oldest first."""
        return [event for event in self._events.values() if type in ("", event.type)]

    def ended(self) -> set[str]:
        """The ids of the approvals of which some event said that they are over."""
        told = [event.approval for event in self._events.values()]
        return {text(one, "id") for one in told if text(one, "status") not in {"", "open"}}

    def find(self, message_id: str) -> Delivery | None:
        """The event with this id."""
        return self._events.get(message_id)

    async def arrival(self, type: str = "", *, number: int = 1) -> Delivery:
        """The `number`th event of that type, waited for.

        Raises:
            TimeoutError: if it did not come in time.
        """

        def find() -> Delivery | None:
            found = self.received(type)
            return found[number - 1] if len(found) >= number else None

        return await self.changes.until(find)
