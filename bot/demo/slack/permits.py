"""Short-lived rights that Slack hands out: trigger ids and response URLs."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count

from bot.demo.slack import limits
from bot.demo.slack.messages import Message
from engine.clock import Clock
from engine.ids import Ids


@dataclass(slots=True, kw_only=True)
class Trigger:
    """The right to open one view for one person, for three seconds."""

    user: str
    born_at: datetime
    spent: bool = False


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """The right to answer one interaction, five times within half an hour."""

    path: str
    user: str
    channel: str
    born_at: datetime
    message: Message | None = None
    uses: int = 0


class Permits:
    """Every trigger id and response URL ever handed out."""

    def __init__(self, team_id: str, *, clock: Clock, ids: Ids) -> None:
        self._team_id = team_id
        self._clock = clock
        self._ids = ids
        self._numbers = count(1_000)
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def trigger(self, user: str) -> str:
        """A fresh trigger id for what `user` just did."""
        name = f"{next(self._numbers)}.{next(self._numbers)}.{self._ids.secret()[:32]}"
        self._triggers[name] = Trigger(user=user, born_at=self._clock.now())
        return name

    def spend(self, trigger_id: str) -> Trigger | str:
        """The trigger, used up by this; or Slack's error code."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            return "invalid_trigger_id"
        if trigger.spent:
            return "exchanged_trigger_id"
        if self._clock.now() - trigger.born_at > limits.TRIGGER_LIVES:
            return "expired_trigger_id"
        trigger.spent = True
        return trigger

    def response_path(self, kind: str, *, user: str, channel: str, message: Message | None) -> str:
        """The path of a fresh response URL; `kind` is actions or commands."""
        path = f"{kind}/{self._team_id}/{next(self._numbers)}/{self._ids.secret()[:24]}"
        self._urls[path] = ResponseUrl(
            path=path, user=user, channel=channel, born_at=self._clock.now(), message=message
        )
        return path

    def use(self, path: str) -> ResponseUrl | str:
        """The response URL, one use spent; or Slack's error code."""
        url = self._urls.get(path)
        if url is None:
            return "invalid_url"
        if self._clock.now() - url.born_at > limits.RESPONSE_URL_LIVES:
            return "expired_url"
        if url.uses >= limits.RESPONSE_URL_USES:
            return "used_url"
        url.uses += 1
        return url
