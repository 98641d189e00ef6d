"""The manifest keeps Slack's limits and asks for nothing that is not used."""

import json

import pytest

from channels.slack import limits
from channels.slack.manifest import manifest, manifest_yaml
from channels.slack.trees import at, rows, text
from engine.errors import Invalid

BASE = "https://bot.example.com"


@pytest.mark.parametrize("base", ["", "ftp://x", "bot.example.com", "https://a b", 'https://x"y'])
def test_an_address_that_slack_refuses_is_refused_here(base: str) -> None:
    with pytest.raises(Invalid, match="SIGNOFF_BASE_URL"):
        manifest(base)


def test_a_name_may_be_35_characters_and_no_more() -> None:
    assert text(manifest(BASE, name="n" * 35), "display_information", "name") == "n" * 35

    with pytest.raises(Invalid, match="35"):
        manifest(BASE, name="n" * 36)


def test_every_text_is_within_slacks_limits() -> None:
    made = manifest(BASE)

    [command] = rows(made, "features", "slash_commands")
    assert len(text(made, "display_information", "description")) <= limits.APP_DESCRIPTION
    assert len(text(made, "features", "bot_user", "display_name")) <= limits.BOT_NAME
    assert len(text(command, "command")) <= limits.COMMAND
    assert len(text(command, "description")) <= limits.COMMAND_DESCRIPTION


def test_everything_leads_to_the_one_address() -> None:
    made = manifest(f"{BASE}/")

    [command] = rows(made, "features", "slash_commands")
    address = f"{BASE}/slack/events"
    assert text(made, "settings", "interactivity", "request_url") == address
    assert text(made, "settings", "event_subscriptions", "request_url") == address
    assert text(command, "url") == address


def test_reading_history_is_a_choice() -> None:
    shy = rows(manifest(BASE, reads_history=False), "oauth_config", "scopes", "bot")
    bold = rows(manifest(BASE), "oauth_config", "scopes", "bot")

    assert shy == ["chat:write", "chat:write.public", "commands", "im:write"]
    read = {"channels:read", "groups:read"}
    assert set(bold) - set(shy) == {"channels:history", "groups:history", "im:history", *read}


def test_the_yaml_holds_the_same_values_line_by_line() -> None:
    lines = [line.strip().removeprefix("- ") for line in manifest_yaml(BASE).splitlines()]

    for name in ("name", "request_url", "command", "socket_mode_enabled"):
        [value, *_] = [line.partition(": ")[2] for line in lines if line.startswith(f"{name}: ")]
        assert json.loads(value) in leaves(manifest(BASE))


def leaves(value: object) -> list[object]:
    """Every value of a tree that holds no other."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_socket_mode_is_off_while_http_is_used() -> None:
    assert at(manifest(BASE), "settings", "socket_mode_enabled") is False
