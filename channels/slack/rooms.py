"""Which id a `#name` has: Slack posts to names, but tells of history and edits by id only."""

from typing import Final

from channels.slack.client import SlackClient
from channels.slack.trees import rows, text

PAGE: Final = 999  # the most that one call gives; a workspace may call twenty times a minute
PAGES_MOST: Final = 20
KINDS: Final = "public_channel,private_channel"


class Rooms:
    """The ids of names, learned from what was posted and from Slack's list; asked once for each name.

    A name that was given to another channel meanwhile is known by its old id until it is posted to.
    """

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self._ids: dict[str, str] = {}

    def learn(self, place: str, conversation: str) -> None:
        """Remember that what was posted to `place` stands in `conversation`."""
        self._ids[_plain(place)] = conversation

    def known(self, place: str) -> str | None:
        """The conversation of `place`, if it was learned."""
        return self._ids.get(_plain(place))

    async def named(self, name: str) -> str | None:
        """The id of the channel that is called `#name`; None where the app sees none.

        Raises:
            ChannelUnavailable: if Slack is away, or asked too often.
            ChannelRefused: if the app may not ask (`missing_scope`).
        """
        cursor = ""
        for _page in range(PAGES_MOST):
            more = {"cursor": cursor} if cursor else {}
            answer = await self._client.look(
                "conversations.list", types=KINDS, exclude_archived="true", limit=PAGE, **more
            )
            for channel in rows(answer, "channels"):
                self._ids.setdefault(_plain(f"#{text(channel, 'name')}"), text(channel, "id"))
            cursor = text(answer, "response_metadata", "next_cursor")
            if (found := self.known(name)) or not cursor:
                return found
        return None


def _plain(place: str) -> str:
    # The names of channels are small letters, whatever was written in a route.
    return place.lower() if place.startswith("#") else place
