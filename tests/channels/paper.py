"""A medium of our own: it keeps what it is given, and fails as it is told to."""

from dataclasses import dataclass, field

from typing_extensions import override

from channels.base import Capabilities, Card, Channel, MessageRef, Notice


@dataclass
class Paper(Channel):
    """`given` is everything that arrived: what was done, the event, and the key."""

    called: str = "email"
    given: list[tuple[str, str, str]] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)

    @property
    @override
    def name(self) -> str:
        return self.called

    @property
    @override
    def capabilities(self) -> Capabilities:
        return Capabilities(edits=True, votes=False, text_chars_max=100)

    @override
    async def post(self, card: Card, *, to: str, key: str) -> MessageRef:
        self._meet("post", card.event, key)
        return MessageRef(data={"first": key}, shown=key, left_out=("iban",))

    @override
    async def update(self, card: Card, ref: MessageRef, *, to: str, key: str) -> MessageRef:
        self._meet("update", card.event, key)
        return ref

    @override
    async def tell(self, notice: Notice, *, to: str, key: str) -> None:
        self._meet("tell", notice.text, key)

    @override
    async def check_health(self) -> None:
        self._meet("health", "", "")

    def _meet(self, what: str, said: str, key: str) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.given.append((what, said, key))
