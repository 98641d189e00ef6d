"""The workspace in memory: conversations, messages, views, and who sees what."""

from dataclasses import dataclass, field
from itertools import count

from bot.demo.changes import Changes
from bot.demo.slack import limits
from bot.demo.slack.blocks import elements_of
from bot.demo.slack.house import House, SlackUser
from bot.demo.slack.messages import Conversation, Message
from bot.demo.slack.views import Views
from bot.demo.trees import Record
from engine.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be shown, before it has a place and a time."""

    text: str = ""
    blocks: list[Record] = field(default_factory=list[Record])
    metadata: Record = field(default_factory=dict[str, object])
    thread_ts: str | None = None
    only_for: str | None = None
    answers: str | None = None
    unfurls: bool = True


class Workspace:
    """Everything that a real workspace would remember. One process, one event loop."""

    def __init__(self, house: House, *, clock: Clock) -> None:
        self.house = house
        self.clock = clock
        self.changes = Changes()
        self.users = {user.id: user for user in house.users}
        self.conversations = {
            channel.id: Conversation(id=channel.id, name=channel.name, channel=channel)
            for channel in house.channels
        }
        self.views = Views(house, clock=clock)
        self.notices: dict[str, str] = {}
        self._last_ts = 0
        self._ids = count(1)

    def user(self, user_id: str) -> SlackUser | None:
        """The member with this id, deactivated ones included."""
        return self.users.get(user_id)

    def by_email(self, email: str) -> SlackUser | None:
        """The active member with this address; case does not matter."""
        return next(
            (
                user
                for user in self.users.values()
                if user.email.lower() == email.lower() and not user.deleted
            ),
            None,
        )

    def direct(self, user_id: str) -> Conversation:
        """The direct message with `user_id`, opened if there was none."""
        for conversation in self.conversations.values():
            if conversation.person == user_id:
                return conversation
        name = self.users[user_id].shown
        opened = Conversation(id=f"D{next(self._ids):03}DEMO", name=name, person=user_id)
        self.conversations[opened.id] = opened
        return opened

    def find(self, channel: str, ts: str) -> Message | None:
        """The message at `ts`, ephemeral and deleted ones excluded."""
        conversation = self.conversations.get(channel)
        return next(
            (
                message
                for message in (conversation.messages if conversation else [])
                if message.ts == ts and message.only_for is None and not message.deleted
            ),
            None,
        )

    def post(self, channel: str, author: str, draft: Draft) -> Message:
        """Show `draft` in `channel`, at a time of its own."""
        message = Message(
            channel=channel,
            ts=self.next_ts(),
            author=author,
            text="",
            metadata=draft.metadata,
            thread_ts=draft.thread_ts,
            only_for=draft.only_for,
            answers=draft.answers,
            unfurls=draft.unfurls,
        )
        message.show(text=draft.text[: limits.TEXT_POSTED], blocks=self.with_ids(draft.blocks))
        self.conversations[channel].messages.append(message)
        self.changes.announce()
        return message

    def change(self, message: Message, *, text: str, blocks: list[Record]) -> None:
        """Replace what `message` shows; blocks without text or without blocks count as given."""
        message.show(text=text, blocks=self.with_ids(blocks))
        # Slack marks only changed text as edited; new blocks replace the old without a mark.
        message.edited_ts = None if blocks else self.next_ts()
        self.changes.announce()

    def with_ids(self, blocks: list[Record]) -> list[Record]:
        """`blocks` with the ids that Slack makes up where the app gave none."""
        named: list[Record] = []
        for block in blocks:
            copy = {**block, "block_id": block.get("block_id") or f"b{next(self._ids):04}"}
            for element in elements_of(copy):
                element.setdefault("action_id", f"a{next(self._ids):04}")
            named.append(copy)
        return named

    def next_ts(self) -> str:
        """A timestamp that no other message has."""
        micros = int(self.clock.now().timestamp() * 1_000_000)
        self._last_ts = max(micros, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"
