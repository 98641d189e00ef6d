"""Calls to Slack's Web API, each sent once, and every failure in our own words."""

import logging
from typing import Any, Final, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from channels.base import ChannelUnavailable
from channels.slack.config import SlackConfig
from channels.slack.refusals import refusal
from channels.slack.trees import is_record, text
from engine.failpoints import Boundary

TIMEOUT_S: Final = 10
# The library writes whole requests and answers to its log at DEBUG; ours must never hold them.
QUIET: Final = logging.getLogger("signoff.slack.sdk")
QUIET.setLevel(logging.WARNING)

API: Final = Boundary("slack", breaks=aiohttp.ServerDisconnectedError)


class _Api(Protocol):
    """The part of the library's client that is used."""

    async def api_call(
        self,
        api_method: str,
        *,
        http_verb: str = ...,
        params: dict[str, object] | None = ...,
        json: dict[str, object] | None = ...,
    ) -> Any: ...


class SlackClient:
    """One installation's client. It never repeats a call: who calls knows whether that is safe."""

    def __init__(self, config: SlackConfig) -> None:
        client = AsyncWebClient(
            token=config.bot_token,
            base_url=config.api_url,
            timeout=TIMEOUT_S,
            logger=QUIET,
            retry_handlers=[],
        )
        # Only bot/settings.py reads the environment, and that holds for its proxies too.
        client.proxy = None
        self._api: _Api = client
        self._team: str | None = None

    async def call(self, method: str, **arguments: object) -> dict[str, object]:
        """Call `method` and return what it answered.

        Raises:
            ChannelUnavailable: if Slack cannot be reached, or says to come back later.
            ChannelRefused: if it will never do this; RecipientUnknown and MessageGone are two ways.
            ChannelMisconfigured: if the installation itself is refused.
        """
        return await self._sent(method, http_verb="POST", json=arguments)

    async def look(self, method: str, **arguments: object) -> dict[str, object]:
        """As `call`, for the methods that take no JSON because they only read."""
        return await self._sent(method, http_verb="GET", params=arguments)

    async def team(self) -> str:
        """The workspace of the token; asked once. Raises as `call` does."""
        if self._team is None:
            answer = await self.call("auth.test")
            self._team = text(answer, "team_id")
        return self._team

    async def _sent(self, method: str, **how: Any) -> dict[str, object]:
        try:
            answered = await API.through(self._api.api_call(method, **how), (method,))
        except SlackApiError as error:
            raise _refused(method, error) from None
        except aiohttp.ClientConnectorError as error:
            raise ChannelUnavailable(f"Slack cannot be reached: {error}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            what = str(error) or type(error).__name__
            raise ChannelUnavailable(f"No answer to {method}: {what}", ambiguous=True) from None
        except (AttributeError, ValueError):
            # The library stumbles over answers that are no JSON object.
            raise ChannelUnavailable(
                f"Slack's answer to {method} cannot be read", ambiguous=True
            ) from None
        data: object = answered.data
        return data if is_record(data) else {}


def _refused(method: str, error: SlackApiError) -> Exception:
    # Mostly the library's own response, but aiohttp's where the body was no JSON.
    response: Any = error.response
    data: object = getattr(response, "data", None)
    status: int = getattr(response, "status_code", getattr(response, "status", 200))
    return refusal(
        method,
        status=status,
        headers=getattr(response, "headers", {}),
        answer=data if is_record(data) else {},
    )
