"""auth.*, users.* and conversations.*: who is here, and where one can be reached."""

from typing import Final

from bot.demo.slack.calls import Call, SlackRefuses
from bot.demo.slack.house import SlackUser
from bot.demo.slack.messages import Conversation, Message, message_payload
from bot.demo.slack.workspace import Workspace
from bot.demo.trees import Record

CURSOR: Final = "from:"


async def auth_test(space: Workspace, call: Call) -> Record:
    """auth.test: who the token is."""
    house = space.house
    return {
        "url": f"https://{house.team_domain}.slack.com/",
        "team": house.team_domain,
        "user": house.bot_name,
        "team_id": house.team_id,
        "user_id": house.bot_user,
        "bot_id": house.bot_id,
        "is_enterprise_install": False,
    }


async def users_info(space: Workspace, call: Call) -> Record:
    """users.info: one member by id."""
    user = space.user(call.needed("user"))
    if user is None:
        raise SlackRefuses("user_not_found")
    return {"user": user_payload(space, user)}


async def users_by_email(space: Workspace, call: Call) -> Record:
    """users.lookupByEmail: one active member by address."""
    user = space.by_email(call.needed("email"))
    if user is None:
        raise SlackRefuses("users_not_found")
    return {"user": user_payload(space, user)}


async def conversations_open(space: Workspace, call: Call) -> Record:
    """conversations.open: the direct message with one person."""
    users = call.text("users")
    if not users:
        raise SlackRefuses("users_list_not_supplied")
    if "," in users or users not in space.users:
        raise SlackRefuses("user_not_found")
    if space.users[users].deleted:
        raise SlackRefuses("user_disabled")
    known = any(item.person == users for item in space.conversations.values())
    direct = space.direct(users)
    answer: Record = {"channel": {"id": direct.id}}
    return {**answer, "already_open": True, "no_op": True} if known else answer


async def conversations_list(space: Workspace, call: Call) -> Record:
    """conversations.list: the public channels, and private ones the bot is in, page by page."""
    kinds = (call.text("types") or "public_channel").split(",")
    channels = [
        {
            "id": channel.id,
            "name": channel.name,
            "is_channel": True,
            "is_private": channel.private,
            "is_archived": channel.archived,
            "is_member": channel.bot_is_member,
        }
        for channel in space.house.channels
        if channel.bot_is_member or not channel.private
        if ("private_channel" if channel.private else "public_channel") in kinds
        if not (channel.archived and call.is_true("exclude_archived"))
    ]
    cursor = call.text("cursor") or f"{CURSOR}0"
    first = cursor.removeprefix(CURSOR)
    if not (cursor.startswith(CURSOR) and first.isdecimal()):
        raise SlackRefuses("invalid_cursor")
    last = int(first) + max(1, min(call.number("limit", 100), 999))
    following = f"{CURSOR}{last}" if last < len(channels) else ""
    return {
        "channels": channels[int(first) : last],
        "response_metadata": {"next_cursor": following},
    }


async def conversations_history(space: Workspace, call: Call) -> Record:
    """conversations.history: newest first, replies excluded; bounds are exclusive unless asked."""
    conversation = _readable(space, call.needed("channel"))
    told = [
        message
        for message in reversed(conversation.messages)
        if message.only_for is None and not message.deleted and message.thread_ts is None
    ]
    return _page(space, call, told)


async def conversations_replies(space: Workspace, call: Call) -> Record:
    """conversations.replies: a message and what was said in its thread, oldest first."""
    conversation = _readable(space, call.needed("channel"))
    ts = call.needed("ts")
    if space.find(conversation.id, ts) is None:
        raise SlackRefuses("thread_not_found")
    told = [
        message
        for message in conversation.messages
        if message.only_for is None
        and not message.deleted
        and ts in (message.ts, message.thread_ts)
    ]
    return _page(space, call, told)


def user_payload(space: Workspace, user: SlackUser) -> Record:
    """A member as Slack describes one."""
    return {
        "id": user.id,
        "team_id": user.team_id or space.house.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.shown,
        "tz": user.timezone,
        "is_bot": False,
        "is_stranger": bool(user.team_id),
        "profile": {"email": user.email, "real_name": user.shown, "display_name": user.name},
    }


def _readable(space: Workspace, channel: str) -> Conversation:
    conversation = space.conversations.get(channel)
    if conversation is None:
        raise SlackRefuses("channel_not_found")
    if conversation.channel is not None and not conversation.channel.bot_is_member:
        raise SlackRefuses("not_in_channel")
    return conversation


def _page(space: Workspace, call: Call, told: list[Message]) -> Record:
    oldest, latest = call.text("oldest"), call.text("latest")
    inclusive = call.is_true("inclusive")
    within = [
        message
        for message in told
        if (not oldest or message.ts > oldest or (inclusive and message.ts == oldest))
        and (not latest or message.ts < latest or (inclusive and message.ts == latest))
    ]
    most = max(1, min(call.number("limit", 100), 999))
    pages: list[Record] = []
    for message in within[:most]:
        payload = message_payload(message, space.house)
        if message.metadata and call.is_true("include_all_metadata"):
            payload["metadata"] = message.metadata
        pages.append(payload)
    return {"messages": pages, "has_more": len(within) > most}
