"""A channel that shows everything to nobody, and is as well as the test says."""

from dataclasses import dataclass

from typing_extensions import override

from channels.base import Capabilities, Card, Channel, ChannelUnavailable, MessageRef, Notice


@dataclass
class Quiet(Channel):
    """Takes what it is given."""

    medium: str
    is_well: bool = True
    asked: int = 0

    @property
    @override
    def name(self) -> str:
        return self.medium

    @property
    @override
    def capabilities(self) -> Capabilities:
        return Capabilities(edits=True, votes=True, text_chars_max=1000)

    @override
    async def post(self, card: Card, *, to: str, key: str) -> MessageRef:
        return MessageRef(data={"to": to}, shown="")

    @override
    async def update(self, card: Card, ref: MessageRef, *, to: str, key: str) -> MessageRef:
        return ref

    @override
    async def tell(self, notice: Notice, *, to: str, key: str) -> None:
        return None

    @override
    async def check_health(self) -> None:
        self.asked += 1
        if not self.is_well:
            raise ChannelUnavailable("It is away.")
