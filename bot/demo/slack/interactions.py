"""What people do in Slack, each deed a signed request to the app."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.demo.slack import payloads
from bot.demo.slack.answers import Answers
from bot.demo.slack.blocks import elements_of
from bot.demo.slack.inputs import Typed, complaint, initial, state_of
from bot.demo.slack.line import Heard, Line
from bot.demo.slack.messages import Conversation, Message
from bot.demo.slack.payloads import Act
from bot.demo.slack.permits import Permits
from bot.demo.slack.views import View
from bot.demo.slack.workspace import Workspace
from bot.demo.trees import Record, record, records, text

TROUBLE = "We had some trouble connecting. Try again?"


class NothingThere(LookupError):
    """The button, field or modal that somebody wanted to use is not in front of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A submit. `heard` is None when Slack's own client held it back; `errors` are by block."""

    heard: Heard | None
    errors: Mapping[str, str]

    @property
    def accepted(self) -> bool:
        """Whether the app took it without an objection."""
        return self.heard is not None and self.heard.error is None and not self.errors


class People:
    """The hands of everybody in the workspace.

    Elements are named by action id, by block id or by what is written on them. What cannot be
    seen cannot be used: `NothingThere`.
    """

    def __init__(self, space: Workspace, permits: Permits, line: Line, *, base: str = "") -> None:
        self.base = base
        self._space = space
        self._permits = permits
        self._line = line
        self._answers = Answers(space)

    async def press(
        self, user: str, message: Message, element: str, *, chosen: Typed = None
    ) -> Heard:
        """Press a button of a message, or choose `chosen` in one of its menus.

        Raises:
            NothingThere: if `user` does not see the message, or it has no such element.
        """
        conversation = self._space.conversations[message.channel]
        if not conversation.holds(user) or message not in conversation.seen_by(user):
            raise NothingThere(f"{user} does not see message {message.ts}.")
        block, found = _named(message.elements, element)
        act = self._act(user, "actions", message=message)
        action = self._action(block, found, chosen)
        payload = payloads.message_action(self._space, act, message, action)
        return self._noticed(user, await self._line.interaction(payload))

    async def press_in_view(self, user: str, element: str, *, chosen: Typed = None) -> Heard:
        """Press a button of the modal in front of `user`, or of their home tab without one.

        Raises:
            NothingThere: if neither is there, or it has no such element.
        """
        view = self._space.views.top(user) or self._space.views.home(user)
        if view is None:
            raise NothingThere(f"{user} has no modal and no home tab.")
        block, found = _named(_elements(view), element)
        payload = payloads.view_action(
            self._space,
            self._act(user, ""),
            view,
            action=self._action(block, found, chosen),
            values=_state(view),
        )
        return self._noticed(user, await self._line.interaction(payload))

    def fill(self, view: View, values: Mapping[str, Typed]) -> None:
        """Type into the fields of a view, without sending anything yet.

        Raises:
            NothingThere: if it has no field of a given name.
        """
        for name, typed in values.items():
            block, _ = _named(_elements(view), name)
            view.typed[text(block, "block_id")] = typed

    async def submit(self, user: str, values: Mapping[str, Typed] | None = None) -> Submitted:
        """Fill the modal in front of `user` and send it off.

        Raises:
            NothingThere: if there is no modal, or it has no field of a given name.
        """
        view = self._modal(user)
        self.fill(view, values or {})
        view.errors, view.trouble = _complaints(view), ""
        if view.errors:
            self._space.changes.announce()
            return Submitted(heard=None, errors=view.errors)
        state = _state(view)
        payload = payloads.submission(self._space, self._act(user, ""), view, state)
        heard = await self._line.interaction(payload)
        if heard.error is not None or not self._answers.to_submission(view, heard):
            view.trouble = TROUBLE
        self._space.changes.announce()
        return Submitted(heard=heard, errors=view.errors)

    async def dismiss(self, user: str, *, everything: bool = False) -> Heard | None:
        """Close the modal, or the whole stack; the app hears of it only if it asked to.

        Raises:
            NothingThere: if there is no modal.
        """
        view = self._modal(user)
        cleared = everything or bool(view.content.get("clear_on_close"))
        if cleared:
            self._space.views.clear(user)
        else:
            self._space.views.close(view)
        self._space.changes.announce()
        if not view.content.get("notify_on_close"):
            return None
        payload = payloads.closing(self._space, self._act(user, ""), view, cleared=cleared)
        return await self._line.interaction(payload)

    async def command(self, user: str, typed: str, *, channel: str) -> Heard:
        """Type a slash command, such as `/approvals list`.

        Raises:
            NothingThere: if no app answers to the command, or `user` is not in `channel`.
        """
        name, _, words = typed.partition(" ")
        conversation = self._space.conversations.get(channel)
        if conversation is None or not conversation.holds(user):
            raise NothingThere(f"{user} is not in {channel}.")
        if name not in self._space.house.commands:
            raise NothingThere(f"{name} is not a valid command.")
        act = self._act(user, "commands", conversation=conversation)
        form = payloads.command_form(
            self._space, act, conversation, command=name, words=self._escaped(words.strip())
        )
        heard = await self._line.command(form)
        if heard.error is None:
            self._answers.to_command(user, channel, heard)
        else:
            self._notice(user, f"{name} failed with the error “{heard.error}”.")
        return heard

    async def open_home(self, user: str) -> Heard:
        """Look at the app's home tab, which the app then publishes."""
        at = self._space.next_ts()
        return await self.event(payloads.home_opened(self._space.views, user, at))

    async def event(self, event: Record) -> Heard:
        """Something happened that the app asked to be told."""
        at = self._space.next_ts()
        envelope = payloads.event_envelope(
            self._space.house,
            event,
            event_id=f"Ev{at.replace('.', '')}",
            at=int(self._space.clock.now().timestamp()),
        )
        return await self._line.event(envelope)

    async def verify_url(self, challenge: str = "3eZbrw1aB10FEMA") -> Heard:
        """The handshake when a request URL is saved; the answer must hold the challenge."""
        return await self._line.event(
            {"type": "url_verification", "token": payloads.LEGACY, "challenge": challenge}
        )

    def say(self, user: str, channel: str, words: str) -> Message:
        """Write an ordinary message."""
        return self._answers.said(user, channel, words)

    def _modal(self, user: str) -> View:
        view = self._space.views.top(user)
        if view is None:
            raise NothingThere(f"{user} has no modal in front of them.")
        return view

    def _act(
        self,
        user: str,
        kind: str,
        *,
        message: Message | None = None,
        conversation: Conversation | None = None,
    ) -> Act:
        place = message.channel if message else conversation.id if conversation else ""
        url = ""
        if kind:
            path = self._permits.response_path(kind, user=user, channel=place, message=message)
            url = f"{self.base}/respond/{path}"
        return Act(user=user, trigger_id=self._permits.trigger(user), response_url=url)

    def _action(self, block: Record, element: Record, chosen: Typed) -> Record:
        action: Record = {
            "action_id": element.get("action_id"),
            "block_id": block.get("block_id"),
            "action_ts": self._space.next_ts(),
        }
        if element.get("type") == "button":
            kept: Record = {
                key: element[key] for key in ("text", "value", "style") if key in element
            }
            return {**action, "type": "button", **kept}
        return {**action, **state_of(element, chosen)}

    def _escaped(self, words: str) -> str:
        escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for user in self._space.users.values():
            escaped = escaped.replace(f"@{user.name}", f"<@{user.id}|{user.name}>")
        return escaped

    def _noticed(self, user: str, heard: Heard) -> Heard:
        if heard.error is not None:
            self._notice(user, f"This app did not respond properly ({heard.error}).")
        return heard

    def _notice(self, user: str, words: str) -> None:
        self._space.notices[user] = words
        self._space.changes.announce()


def _elements(view: View) -> list[tuple[Record, Record]]:
    blocks = records(view.content.get("blocks"))
    return [(block, element) for block in blocks for element in elements_of(block)]


def _named(elements: list[tuple[Record, Record]], name: str) -> tuple[Record, Record]:
    for block, element in elements:
        label = text(record(block.get("label")), "text")
        named = (text(element, "action_id"), text(element, "text", "text"), label)
        if name in (*named, text(block, "block_id")):
            return block, element
    there = [text(element, "text", "text") or text(element, "action_id") for _, element in elements]
    raise NothingThere(f"There is no {name!r}; there is {there}.")


def _typed(view: View, block: Record, element: Record) -> Typed:
    return view.typed.get(text(block, "block_id"), initial(element))


def _state(view: View) -> Record:
    values: Record = {}
    for block, element in _elements(view):
        if element.get("type") != "button":
            state = state_of(element, _typed(view, block, element))
            values[text(block, "block_id")] = {text(element, "action_id"): state}
    return values


def _complaints(view: View) -> dict[str, str]:
    found = {
        text(block, "block_id"): complaint(block, element, _typed(view, block, element))
        for block, element in _elements(view)
        if block.get("type") == "input"
    }
    return {block_id: words for block_id, words in found.items() if words is not None}
