"""The manifest from which Slack makes the app: `signoff slack manifest` prints it."""

import json
import re
from typing import Final

from channels.slack import limits
from channels.slack.trees import is_record, is_rows
from engine.errors import Invalid

COMMAND: Final = "/approvals"
EVENTS_PATH: Final = "/slack/events"
# Only what is used: posting, also into public channels without an invitation, the command, and
# opening direct messages.
SCOPES: Final = ("chat:write", "chat:write.public", "commands", "im:write")
# With these an unclear send is looked up before it is repeated: in which channel, by its name, and
# among the messages there.
HISTORY_SCOPES: Final = (
    *("channels:read", "groups:read"),
    *("channels:history", "groups:history", "im:history"),
)
EVENTS: Final = ("app_uninstalled", "tokens_revoked")
_URL: Final = re.compile(r"https?://[^\s<>\"]+", re.ASCII)
_PLAIN_KEY: Final = re.compile(r"[a-z_]+", re.ASCII)


def manifest(
    base_url: str, *, name: str = "Signoff", reads_history: bool = True
) -> dict[str, object]:
    """The app for a server at `base_url`, as the object that Slack's API takes.

    Raises:
        Invalid: if `base_url` or `name` is against Slack's limits; the message names the limit.
    """
    url = base_url.rstrip("/") + EVENTS_PATH
    _check_url(url)
    _check("name", name, limits.APP_NAME)
    scopes = (*SCOPES, *(HISTORY_SCOPES if reads_history else ()))
    description = "Approve or reject what runs and agents ask for, without leaving Slack"
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": _check("description", description, limits.APP_DESCRIPTION),
            "background_color": "#1a1d21",
        },
        "features": _features(name, url),
        "oauth_config": {"scopes": {"bot": sorted(scopes)}},
        "settings": {
            "event_subscriptions": {"request_url": url, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, "request_url": url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }


def manifest_yaml(base_url: str, *, name: str = "Signoff", reads_history: bool = True) -> str:
    """`manifest` as YAML, to paste under "Create an app from a manifest". Raises as it does."""
    return "\n".join(_lines(manifest(base_url, name=name, reads_history=reads_history))) + "\n"


def _features(name: str, url: str) -> dict[str, object]:
    return {
        "app_home": {
            "home_tab_enabled": False,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": True,
        },
        "bot_user": {
            "display_name": _check("bot name", name.lower(), limits.BOT_NAME),
            "always_online": True,
        },
        "slash_commands": [
            {
                "command": _check("command", COMMAND, limits.COMMAND),
                "description": "What waits for you; show, approve or reject it",
                "usage_hint": "[mine | show apr_… | approve apr_… | reject apr_… | help]",
                "url": url,
                "should_escape": False,
            }
        ],
    }


def _check(what: str, text: str, most: int) -> str:
    if not 0 < len(text) <= most:
        raise Invalid(f"Slack takes a {what} of 1 to {most} characters; this has {len(text)}.")
    return text


def _check_url(url: str) -> None:
    _check("request URL", url, limits.MANIFEST_URL)
    if not _URL.fullmatch(url):
        raise Invalid(f"{url!r} cannot be a request URL; set SIGNOFF_BASE_URL to https://….")


def _lines(value: object, indent: str = "") -> list[str]:
    if is_record(value):
        return [line for key, item in value.items() for line in _entry(key, item, indent)]
    if is_rows(value):
        return [line for item in value for line in _item(item, indent)]
    return [indent + json.dumps(value, ensure_ascii=False)]


def _entry(key: str, item: object, indent: str) -> list[str]:
    name = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)
    if is_record(item) or is_rows(item):
        return [f"{indent}{name}:", *_lines(item, indent + "  ")]
    return [f"{indent}{name}: {json.dumps(item, ensure_ascii=False)}"]


def _item(item: object, indent: str) -> list[str]:
    first, *rest = _lines(item, indent + "  ")
    return [f"{indent}- {first.strip()}", *rest]
