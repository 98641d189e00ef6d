"""The Slack channel: cards posted once, edited in place, and never twice where Slack can tell."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from typing_extensions import override

from channels.base import (
    Capabilities,
    Card,
    Channel,
    ChannelMisconfigured,
    ChannelRefused,
    ChannelUnavailable,
    MessageRef,
    Notice,
    RecipientUnknown,
)
from channels.slack import limits
from channels.slack.address import Address, parse
from channels.slack.blocks import Rendering, card_message, link_button
from channels.slack.client import SlackClient
from channels.slack.config import SlackConfig
from channels.slack.facts import Block
from channels.slack.rooms import Rooms
from channels.slack.text import cut, escape, is_link, one_line, plain, prose
from channels.slack.trees import at, rows
from channels.slack.trees import text as text_at
from engine.clock import Clock

NAME: Final = "slack"
EVENT_TYPE: Final = "signoff_approval"
# Deliveries older than this may have been tried before, by us or by a process that died.
_FRESH: Final = timedelta(seconds=30)
_UNCLEAR_MOST: Final = 10_000
_HISTORY: Final = 200
_PAGES_MOST: Final = 10
_CLOCKS_DIFFER: Final = timedelta(minutes=5)  # ours and Slack's, at most
_TOLD: Final = frozenset(
    {"approval.reminded", "approval.decided", "approval.expired", "approval.cancelled"}
)
_log = structlog.stdlib.get_logger("slack")


class SlackChannel(Channel):
    """Shows cards in channels and direct messages of one installation.

    A message carries its delivery's key. When a send may have arrived unseen, the conversation's
    history is asked for that key before anything is sent again; where the app may not read the
    history, the card is shown once more, and pressing either counts once.
    """

    def __init__(self, config: SlackConfig, *, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._client = SlackClient(config)
        self._unclear: dict[str, None] = {}
        self._rooms = Rooms(self._client)

    @property
    @override
    def name(self) -> str:
        return NAME

    @property
    @override
    def capabilities(self) -> Capabilities:
        return Capabilities(edits=True, votes=True, text_chars_max=limits.SECTION_TEXT)

    @override
    async def post(self, card: Card, *, to: str, key: str) -> MessageRef:
        address = self._address(to)
        rendering = card_message(card)
        is_old = self._clock.now() - card.event_at > _FRESH
        if card.may_be_there or key in self._unclear or is_old:
            found = await self._looked_for(card, address, key)
            if found is not None:
                self._unclear.pop(key, None)
                return await self.update(card, found, to=to, key=key)
        data = await self._post(address, key, rendering.text, rendering.blocks)
        return _ref(data, rendering)

    @override
    async def update(self, card: Card, ref: MessageRef, *, to: str, key: str) -> MessageRef:
        rendering = card_message(card)
        if rendering.shown != ref.shown:
            await self._client.call(
                "chat.update",
                channel=ref.data["channel"],
                ts=ref.data["ts"],
                text=rendering.text,
                blocks=list(rendering.blocks),
            )
        # An edit rings nobody's bell. What people must know follows it, in the message's thread; the
        # card itself is up to date then, so a thread that may not be written to is no failure.
        if card.event in _TOLD:
            with suppress(ChannelRefused):
                await self._reply(card, ref)
        return _ref(ref.data, rendering)

    @override
    async def tell(self, notice: Notice, *, to: str, key: str) -> None:
        address = self._address(to)
        blocks: list[Block] = [
            {"type": "section", "text": plain(f"{notice.title}\n{notice.text}")},
        ]
        if notice.url and is_link(notice.url):
            button = link_button(notice.url, notice.url_label or "Open")
            blocks.append({"type": "actions", "block_id": "signoff:notice", "elements": [button]})
        await self._post(address, key, escape(one_line(notice.title)), tuple(blocks))

    @override
    async def check_health(self) -> None:
        team = await self._client.team()
        if self._config.team_ids and team not in self._config.team_ids:
            raise ChannelMisconfigured(
                f"SIGNOFF_SLACK_BOT_TOKEN belongs to workspace {team}, which is not among the "
                f"allowed ones: {', '.join(sorted(self._config.team_ids))}."
            )

    async def _reply(self, card: Card, ref: MessageRef) -> None:
        await self._client.call(
            "chat.postMessage",
            channel=ref.data["channel"],
            thread_ts=ref.data["ts"],
            text=cut(prose("told", card=card), limits.SECTION_TEXT),
            unfurl_links=False,
            unfurl_media=False,
        )

    def _address(self, to: str) -> Address:
        address = parse(to)
        allowed = self._config.team_ids
        if address.team and allowed and address.team not in allowed:
            raise RecipientUnknown(f"{to} is in a workspace that this app does not serve.")
        return address

    async def _post(
        self, address: Address, key: str, text: str, blocks: tuple[Block, ...]
    ) -> Mapping[str, str]:
        try:
            answer = await self._client.call(
                "chat.postMessage",
                channel=address.place,
                text=text,
                blocks=list(blocks),
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                unfurl_links=False,
                unfurl_media=False,
            )
        except ChannelUnavailable as error:
            if error.ambiguous:
                self._remember_unclear(key)
            raise
        self._unclear.pop(key, None)
        place = text_at(answer, "channel")
        self._rooms.learn(address.place, place)
        _log.info("slack.posted", channel=place, key=key)
        return {"channel": place, "ts": text_at(answer, "ts"), "team": address.team}

    def _remember_unclear(self, key: str) -> None:
        self._unclear[key] = None
        if len(self._unclear) > _UNCLEAR_MOST:
            del self._unclear[next(iter(self._unclear))]

    async def _looked_for(self, card: Card, address: Address, key: str) -> MessageRef | None:
        """The message that carries `key`; None where it is not, or may not be looked for."""
        try:
            with suppress(ChannelRefused):
                place = await self._place(address)
                since = card.event_at - _CLOCKS_DIFFER
                ts = await self._find(place, key, since=since) if place else None
                if place and ts:
                    data = {"channel": place, "ts": ts, "team": address.team}
                    return MessageRef(data=data, shown="")
        except ChannelUnavailable as error:
            # Whether it is there is as unclear as before, and whoever tries next must know.
            wish = error.retry_after_s
            raise ChannelUnavailable(str(error), retry_after_s=wish, ambiguous=True) from None
        return None

    async def _find(self, place: str, key: str, *, since: datetime) -> str | None:
        """The time of the message in `place` that carries `key`, if it came after `since`."""
        before: dict[str, str] = {}
        for _page in range(_PAGES_MOST):
            answer = await self._client.look(
                "conversations.history",
                channel=place,
                limit=_HISTORY,
                include_all_metadata="true",
                oldest=f"{since.timestamp():.6f}",
                **before,
            )
            messages = rows(answer, "messages")
            if found := next(
                (text_at(each, "ts") for each in messages if _key_of(each) == key), ""
            ):
                return found
            if not messages or at(answer, "has_more") is not True:
                return None
            before = {"latest": text_at(messages[-1], "ts")}
        return None

    async def _place(self, address: Address) -> str | None:
        if known := self._rooms.known(address.place):
            return known
        if address.is_name:
            return await self._rooms.named(address.place)
        if address.is_person:
            answer = await self._client.call("conversations.open", users=address.place)
            return text_at(answer, "channel", "id")
        return address.place


def _ref(data: Mapping[str, str], rendering: Rendering) -> MessageRef:
    return MessageRef(data=data, shown=rendering.shown, left_out=rendering.left_out)


def _key_of(message: object) -> str | None:
    is_ours = text_at(message, "metadata", "event_type") == EVENT_TYPE
    return text_at(message, "metadata", "event_payload", "key") if is_ours else None
