"""A message and the conversation it stands in, with everything it ever showed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.demo.slack.blocks import elements_of
from bot.demo.slack.house import House, SlackChannel
from bot.demo.trees import Record, strings, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a message showed at one time."""

    text: str
    blocks: list[Record]


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. `only_for` makes it ephemeral; `revisions` begins with what was posted.

    `answers` is the path of the response URL that it came through.
    """

    channel: str
    ts: str
    author: str
    text: str
    blocks: list[Record] = field(default_factory=list[Record])
    metadata: Record = field(default_factory=dict[str, object])
    thread_ts: str | None = None
    only_for: str | None = None
    answers: str | None = None
    edited_ts: str | None = None
    deleted: bool = False
    unfurls: bool = True
    revisions: list[Shown] = field(default_factory=list[Shown])

    def show(self, *, text: str, blocks: list[Record]) -> None:
        """Replace what is seen, and remember it."""
        self.text, self.blocks = text, blocks
        self.revisions.append(Shown(text=text, blocks=blocks))

    @property
    def elements(self) -> list[tuple[Record, Record]]:
        """Each interactive element with its block, in the order they are drawn."""
        return [(block, element) for block in self.blocks for element in elements_of(block)]

    @property
    def buttons(self) -> list[str]:
        """The labels of the buttons that can be pressed."""
        return [
            text(element, "text", "text")
            for _, element in self.elements
            if element.get("type") == "button"
        ]

    @property
    def words(self) -> str:
        """Every word of the message, notification text first, as it was sent."""
        return "\n".join((self.text, *strings(self.blocks)))


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A channel, or a direct message between the bot and one person."""

    id: str
    name: str
    channel: SlackChannel | None = None
    person: str | None = None
    messages: list[Message] = field(default_factory=list[Message])

    def seen_by(self, user: str) -> Iterator[Message]:
        """The messages that `user` sees here, oldest first."""
        for message in self.messages:
            if not message.deleted and message.only_for in (None, user):
                yield message

    def holds(self, user: str) -> bool:
        """Whether `user` is in this conversation."""
        if self.channel is None:
            return user == self.person
        return not self.channel.members or user in self.channel.members


def message_payload(message: Message, house: House) -> Record:
    """The message as Slack's payloads and histories carry it."""
    by_bot = message.author == house.bot_user
    payload: Record = {
        "type": "message",
        "user": message.author,
        "text": message.text,
        "ts": message.ts,
        "team": house.team_id,
    }
    if by_bot:
        payload |= {"bot_id": house.bot_id, "app_id": house.app_id}
    if message.blocks:
        payload["blocks"] = message.blocks
    if message.thread_ts is not None:
        payload["thread_ts"] = message.thread_ts
    if message.edited_ts is not None:
        payload["edited"] = {"user": message.author, "ts": message.edited_ts}
    return payload
