"""Who and what a workspace holds: the team, the app, its people and its channels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackUser:
    """A member. `team_id` differs from the workspace's for a guest of Slack Connect."""

    id: str
    name: str
    email: str = ""
    real_name: str = ""
    timezone: str = "UTC"
    deleted: bool = False
    team_id: str = ""

    @property
    def shown(self) -> str:
        """The name that people see."""
        return self.real_name or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """A channel. No `members` means everybody; the bot posts only where it is one."""

    id: str
    name: str
    private: bool = False
    archived: bool = False
    bot_is_member: bool = True
    members: frozenset[str] = frozenset()


PEOPLE: Final = (
    SlackUser(id="U0ANA", name="ana", email="ana@example.com", real_name="Ana Diaz"),
    SlackUser(id="U0BO", name="bo", email="bo@example.com", real_name="Bo Larsen"),
    SlackUser(id="U0CHEN", name="chen", email="chen@example.com", real_name="Chen Wei"),
    SlackUser(id="U0DEE", name="dee", email="dee@example.com", real_name="Dee Okafor"),
)
CHANNELS: Final = (
    SlackChannel(id="C0APPROVALS", name="approvals"),
    SlackChannel(id="C0GENERAL", name="general"),
)
SCOPES: Final = frozenset(
    {"chat:write", "commands", "im:write", "users:read", "users:read.email"}
    | {"channels:history", "channels:read", "groups:history", "groups:read", "im:history"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One workspace with one app installed, as the app's settings page would show it.

    Without an `app_token` there is no Socket Mode.
    """

    bot_token: str
    signing_secret: str
    app_token: str = ""
    team_id: str = "T0DEMO"
    team_domain: str = "demo"
    app_id: str = "A0DEMO"
    bot_id: str = "B0DEMO"
    bot_user: str = "U0SIGNOFF"
    bot_name: str = "approvals"
    users: Sequence[SlackUser] = PEOPLE
    channels: Sequence[SlackChannel] = CHANNELS
    scopes: frozenset[str] = SCOPES
    commands: Sequence[str] = field(default=("/approvals",))
