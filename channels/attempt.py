"""One attempt to deliver: what is sent, and what the store must remember of it afterwards."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol, TypeAlias

from channels.base import (
    Card,
    Channel,
    ChannelMisconfigured,
    ChannelRefused,
    ChannelUnavailable,
    MessageGone,
    MessageRef,
    Notice,
)
from engine.errors import NotFound, Refused, Unavailable
from engine.rules.retry import delivery_delay
from engine.rules.wording import is_table
from engine.services import deliveries
from engine.store.database import Transaction
from engine.store.outbox import EVERY, Delivery, Shown

SEND_WITHIN: Final = timedelta(seconds=60)
RETRY_AFTER_MAX: Final = timedelta(days=1)  # a longer wish of a medium is cut to this
MENDING: Final = timedelta(minutes=1)  # a wrong setting is tried again no sooner

Deed: TypeAlias = Callable[[Transaction], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an attempt, as one transaction, and how long its address is to be left alone."""

    deed: Deed
    rest: timedelta = timedelta()


class Cards(Protocol):
    """Builds what is shown, at the moment it is sent."""

    async def card(self, delivery: Delivery) -> Card | None:
        """The card of `delivery` as things stand now; None if there is nothing left to show."""
        ...


class Attempts:
    """Carries out deliveries that are held under a lease, one call each."""

    def __init__(self, channels: Mapping[str, Channel], cards: Cards, *, base_url: str) -> None:
        self._channels, self._cards = channels, cards
        self._base_url = base_url.rstrip("/")

    async def make(self, delivery: Delivery) -> Outcome:
        """Send `delivery` and say what became of it; nothing is raised for what goes wrong.

        A delivery that kept killing its process runs out of attempts like any other.
        """
        if delivery_delay(delivery.channel, delivery.attempts - 1, 0) is None:
            return _dead(delivery, "Tried too often without an end.")
        try:
            async with asyncio.timeout(SEND_WITHIN.total_seconds()):
                return await self._send(delivery)
        except MessageGone as error:
            return _gone(delivery, str(error))
        except (ChannelRefused, Refused) as error:
            return _dead(delivery, str(error))
        except ChannelMisconfigured as error:
            return _misconfigured(delivery, str(error))
        except ChannelUnavailable as error:
            wish = error.retry_after_s or 0
            return _again(delivery, str(error), after_s=wish, is_unsure=error.ambiguous)
        except Unavailable as error:
            return _again(delivery, str(error))
        except TimeoutError:
            words = f"Not finished within {SEND_WITHIN.total_seconds():g} s."
            return _again(delivery, words, is_unsure=True)
        except Exception as error:  # border: a channel's bug must not stop the other deliveries
            return _again(delivery, f"{type(error).__name__}: {error}", is_unsure=True)

    async def _send(self, delivery: Delivery) -> Outcome:
        channel = self._channels.get(delivery.channel)
        if channel is None:
            raise ChannelMisconfigured(
                f"The channel {delivery.channel} is not set up in this process; see `signoff doctor`."
            )
        if delivery.kind == "tell":
            await channel.tell(self._notice(delivery), to=delivery.address, key=delivery.id)
            return Outcome(deed=lambda tx: deliveries.sent(tx, delivery, None))
        try:
            card = await self._cards.card(delivery)
        except NotFound:
            card = None
        if card is None or not _is_wanted(delivery, card):
            return Outcome(deed=lambda tx: deliveries.dropped(tx, delivery))
        ref = await _show(channel, delivery, card)
        shown = Shown(data=ref.data, shown=ref.shown, left_out=ref.left_out, version=card.version)
        return Outcome(deed=lambda tx: deliveries.sent(tx, delivery, shown))

    def _notice(self, delivery: Delivery) -> Notice:
        said = {key: str(value) for key, value in delivery.payload.items() if value is not None}
        path, run = said.get("path"), delivery.payload.get("run")
        return Notice(
            title=said.get("title", ""),
            text=said.get("text", ""),
            url=None if path is None else f"{self._base_url}{path}",
            url_label=said.get("label"),
            tenant=delivery.tenant,
            event=delivery.event,
            run={str(key): value for key, value in run.items()} if is_table(run) else {},
        )


def _is_wanted(delivery: Delivery, card: Card) -> bool:
    """Whether somebody may have seen this approval here, or can decide it, or hears of everything."""
    if delivery.state in {"dead", "gone", "withdrawn"} and delivery.channel != EVERY:
        return False
    may_be_seen = delivery.before is not None or delivery.is_unsure
    return may_be_seen or card.status == "open" or delivery.channel == EVERY


async def _show(channel: Channel, delivery: Delivery, card: Card) -> MessageRef:
    # What was never shown is posted, whatever it was meant to be: the post before it may be dead.
    if delivery.before is None:
        tried = replace(card, may_be_there=delivery.is_unsure)
        return await channel.post(tried, to=delivery.address, key=delivery.id)
    before = MessageRef(
        data=delivery.before.data, shown=delivery.before.shown, left_out=delivery.before.left_out
    )
    return await channel.update(card, before, to=delivery.address, key=delivery.id)


def _dead(delivery: Delivery, error: str) -> Outcome:
    return Outcome(deed=lambda tx: deliveries.failed(tx, delivery, error, retry_at=None))


def _gone(delivery: Delivery, error: str) -> Outcome:
    return Outcome(deed=lambda tx: deliveries.gone(tx, delivery, error))


def _again(
    delivery: Delivery, error: str, *, after_s: float = 0, is_unsure: bool = False
) -> Outcome:
    wish = timedelta(seconds=min(after_s, RETRY_AFTER_MAX.total_seconds()))

    def deed(tx: Transaction) -> None:
        delay = delivery_delay(delivery.channel, delivery.attempts, tx.ids.fraction())
        retry_at = None if delay is None else tx.now + max(delay, wish)
        deliveries.failed(tx, delivery, error, retry_at=retry_at, is_unsure=is_unsure)

    return Outcome(deed=deed, rest=wish)


def _misconfigured(delivery: Delivery, error: str) -> Outcome:
    again = _again(delivery, error, after_s=MENDING.total_seconds())

    def deed(tx: Transaction) -> None:
        again.deed(tx)
        deliveries.trouble(tx, delivery, error, advice="It is tried again by itself.")

    return Outcome(deed=deed, rest=again.rest)
