"""The channels of one installation, by name, and whether each of them works."""

import asyncio
from collections.abc import Iterable, Mapping

from channels.base import Channel, ChannelMisconfigured
from engine.errors import EngineError


def by_name(channels: Iterable[Channel]) -> Mapping[str, Channel]:
    """The channels under their names, in the order given.

    Raises:
        ChannelMisconfigured: if two answer to one name: a delivery would not know its way.
    """
    found: dict[str, Channel] = {}
    for channel in channels:
        if channel.name in found:
            raise ChannelMisconfigured(f"Two channels are called {channel.name}.")
        found[channel.name] = channel
    return found


async def health(
    channels: Mapping[str, Channel], *, within_s: float = 15
) -> Mapping[str, str | None]:
    """What is wrong with each channel, as a sentence; None where it works. All are asked at once."""

    async def ask(channel: Channel) -> str | None:
        try:
            async with asyncio.timeout(within_s):
                await channel.check_health()
        except EngineError as error:
            return str(error)
        except TimeoutError:
            return f"No answer within {within_s:g} s."
        except Exception as error:  # border: one channel's bug must not hide the others' health
            return f"{type(error).__name__}: {error}"
        return None

    async with asyncio.TaskGroup() as group:
        asked = {name: group.create_task(ask(channel)) for name, channel in channels.items()}
    return {name: task.result() for name, task in asked.items()}
