"""What the Slack channel must be told: two secrets, where Slack is, and whom to listen to."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from channels.base import ChannelMisconfigured

SLACK_API: Final = "https://slack.com/api/"
SECRET_CHARS_MIN: Final = 32
_BOT_TOKENS: Final = ("xoxb-", "xoxe.xoxb-")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackConfig:
    """One installation of the app.

    `team_ids` are the workspaces (`T…`) and organisations (`E…`) that are listened to; when it is
    empty, only the workspace that the token belongs to. `app_id`, when given, must match as well.

    Raises:
        ChannelMisconfigured: if a value cannot be right; the message names the setting.
    """

    bot_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    api_url: str = SLACK_API
    team_ids: frozenset[str] = frozenset()
    app_id: str | None = None

    def __post_init__(self) -> None:
        if not self.bot_token.startswith(_BOT_TOKENS):
            raise ChannelMisconfigured(
                "SIGNOFF_SLACK_BOT_TOKEN is not a bot token; it begins with xoxb- and stands under "
                '"OAuth & Permissions" of the app.'
            )
        if len(self.signing_secret) < SECRET_CHARS_MIN:
            raise ChannelMisconfigured(
                f"SIGNOFF_SLACK_SIGNING_SECRET has fewer than {SECRET_CHARS_MIN} characters; copy "
                'it from "Basic Information" of the app.'
            )
        parts = urlsplit(self.api_url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ChannelMisconfigured(
                f"SIGNOFF_SLACK_API_URL is {self.api_url!r}; it must be like {SLACK_API}."
            )
