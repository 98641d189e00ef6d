"""Modals and home tabs: who has which open, stacked, and which version of it."""

import hashlib
from dataclasses import dataclass, field
from itertools import count

from bot.demo.slack import limits
from bot.demo.slack.house import House
from bot.demo.slack.inputs import Typed
from bot.demo.trees import Record, minified, text
from engine.clock import Clock


@dataclass(slots=True, kw_only=True)
class View:
    """An open modal or a published home tab. `hash` changes with every update."""

    id: str
    user: str
    content: Record
    root_id: str
    previous_id: str | None = None
    hash: str = ""
    errors: dict[str, str] = field(default_factory=dict[str, str])
    typed: dict[str, Typed] = field(default_factory=dict[str, Typed])
    trouble: str = ""

    @property
    def title(self) -> str:
        """What its bar says."""
        return text(self.content, "title", "text")


class Views:
    """The open views of everybody, the topmost last."""

    def __init__(self, house: House, *, clock: Clock) -> None:
        self._house = house
        self._clock = clock
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self._numbers = count(1)

    def top(self, user: str) -> View | None:
        """The modal in front of `user`, if any."""
        stack = self._stacks.get(user, [])
        return stack[-1] if stack else None

    def home(self, user: str) -> View | None:
        """What the app published to `user`'s home tab."""
        return self._homes.get(user)

    def open(self, user: str, content: Record) -> View:
        """Put a new stack with one modal in front of `user`; what was open goes."""
        view = self._made(user, content)
        self._stacks[user] = [view]
        return view

    def push(self, user: str, content: Record) -> View | None:
        """Put a modal on top of the stack; None when three are open already."""
        stack = self._stacks.setdefault(user, [])
        if len(stack) >= limits.VIEWS_STACKED:
            return None
        view = self._made(user, content)
        if stack:
            view.root_id, view.previous_id = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def publish(self, user: str, content: Record) -> View:
        """Replace the home tab of `user`."""
        view = self._homes.get(user) or self._made(user, content)
        self._homes[user] = view
        self.replace(view, content)
        return view

    def replace(self, view: View, content: Record) -> None:
        """Show `content` where `view` is."""
        view.content = content
        view.errors, view.trouble = {}, ""
        view.hash = self._hash(content)

    def find(self, view_id: str, external_id: str = "") -> View | None:
        """An open view by its id, or by the id the app gave it."""
        everything = [view for stack in self._stacks.values() for view in stack]
        for view in (*everything, *self._homes.values()):
            named = external_id and text(view.content, "external_id") == external_id
            if view.id == view_id or named:
                return view
        return None

    def close(self, view: View) -> None:
        """Take this modal away, wherever in its stack it stands."""
        stack = self._stacks.get(view.user, [])
        self._stacks[view.user] = [other for other in stack if other is not view]

    def clear(self, user: str) -> None:
        """Take every modal of `user` away."""
        self._stacks.pop(user, None)

    def payload(self, view: View, *, values: Record | None = None) -> Record:
        """The view as Slack's payloads and answers carry it."""
        given = view.content
        return {
            "id": view.id,
            "team_id": self._house.team_id,
            "type": text(given, "type"),
            "blocks": given.get("blocks", []),
            "private_metadata": text(given, "private_metadata"),
            "callback_id": text(given, "callback_id"),
            "state": {"values": values or {}},
            "hash": view.hash,
            "title": given.get("title"),
            "clear_on_close": given.get("clear_on_close", False),
            "notify_on_close": given.get("notify_on_close", False),
            "close": given.get("close"),
            "submit": given.get("submit"),
            "previous_view_id": view.previous_id,
            "root_view_id": view.root_id,
            "app_id": self._house.app_id,
            "external_id": text(given, "external_id"),
            "app_installed_team_id": self._house.team_id,
            "bot_id": self._house.bot_id,
        }

    def _made(self, user: str, content: Record) -> View:
        view_id = f"V{next(self._numbers):03}DEMO"
        view = View(id=view_id, user=user, content=content, root_id=view_id)
        view.hash = self._hash(content)
        return view

    def _hash(self, content: Record) -> str:
        digest = hashlib.sha256(f"{next(self._numbers)}{minified(content)}".encode()).hexdigest()
        return f"{int(self._clock.now().timestamp())}.{digest[:8]}"
