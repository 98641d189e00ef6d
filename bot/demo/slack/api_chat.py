"""chat.*: posting, changing and whispering messages."""

from bot.demo.slack import limits
from bot.demo.slack.blocks import Surface, block_problems
from bot.demo.slack.calls import Call, SlackRefuses
from bot.demo.slack.messages import Conversation, message_payload
from bot.demo.slack.workspace import Draft, Workspace
from bot.demo.trees import Record, is_record, is_rows, minified, records, text


async def post_message(space: Workspace, call: Call) -> Record:
    """chat.postMessage: `channel` may be a channel, a direct message, a person or a #name."""
    conversation = _postable(space, call.needed("channel"))
    draft = _draft(space, call, conversation)
    message = space.post(conversation.id, space.house.bot_user, draft)
    payload = message_payload(message, space.house)
    if message.metadata:
        payload["metadata"] = message.metadata
    return {"channel": conversation.id, "ts": message.ts, "message": payload}


async def update(space: Workspace, call: Call) -> Record:
    """chat.update: own messages only; text without blocks takes the blocks away."""
    channel = call.needed("channel")
    ts = call.needed("ts")
    conversation = space.conversations.get(channel)
    if conversation is None:
        raise SlackRefuses("channel_not_found")
    if conversation.channel is not None and conversation.channel.archived:
        raise SlackRefuses("is_archived")
    message = space.find(channel, ts)
    if message is None:
        raise SlackRefuses("message_not_found")
    if message.author != space.house.bot_user:
        raise SlackRefuses("cant_update_message")
    words = call.text("text")
    if len(words) > limits.TEXT_UPDATED:
        raise SlackRefuses("msg_too_long")
    has_blocks = call.args.get("blocks") is not None
    blocks = _blocks(call)
    if not words and not has_blocks and not call.args.get("attachments"):
        raise SlackRefuses("no_text")
    if not words and has_blocks and not blocks and not message.text:
        raise SlackRefuses("no_text")
    space.change(message, text=words or message.text, blocks=blocks)
    if (metadata := _metadata(call)) is not None:
        message.metadata = metadata
    payload = message_payload(message, space.house)
    return {"channel": channel, "ts": ts, "text": message.text, "message": payload}


async def post_ephemeral(space: Workspace, call: Call) -> Record:
    """chat.postEphemeral: seen by one person, kept nowhere, changed by nobody."""
    conversation = _postable(space, call.needed("channel"), opens=False)
    user = call.needed("user")
    if user not in space.users or not conversation.holds(user):
        raise SlackRefuses("user_not_in_channel")
    draft = _draft(space, call, conversation)
    whisper = Draft(text=draft.text, blocks=draft.blocks, thread_ts=draft.thread_ts, only_for=user)
    message = space.post(conversation.id, space.house.bot_user, whisper)
    return {"message_ts": message.ts}


def posted_blocks(blocks: object) -> list[Record]:
    """`blocks` as a message would show them.

    Raises:
        SlackRefuses: if they are no array, or Block Kit would refuse them.
    """
    if blocks is None:
        return []
    if not is_rows(blocks):
        raise SlackRefuses("invalid_blocks_format")
    if problems := block_problems(blocks, Surface.MESSAGE):
        raise SlackRefuses("invalid_blocks", *problems)
    if len(minified(blocks).encode()) > limits.BLOCKS_BYTES:
        raise SlackRefuses("msg_blocks_too_long")
    return records(blocks)


def _postable(space: Workspace, channel: str, *, opens: bool = True) -> Conversation:
    found = space.conversations.get(channel)
    if found is None and opens and channel in space.users:
        if space.users[channel].deleted:
            raise SlackRefuses("channel_not_found")
        found = space.direct(channel)
    if found is None and opens:
        name = channel.removeprefix("#")
        named = (c for c in space.conversations.values() if c.channel and c.name == name)
        found = next(named, None)
    if found is None:
        raise SlackRefuses("channel_not_found")
    if found.channel is not None:
        _check_membership(found)
    return found


def _check_membership(conversation: Conversation) -> None:
    channel = conversation.channel
    if channel is None:
        return
    if not channel.bot_is_member:
        # A private channel that the bot is not in does not exist for it.
        raise SlackRefuses("channel_not_found" if channel.private else "not_in_channel")
    if channel.archived:
        raise SlackRefuses("is_archived")


def _draft(space: Workspace, call: Call, conversation: Conversation) -> Draft:
    words, blocks = call.text("text"), _blocks(call)
    if call.args.get("markdown_text") and (words or blocks):
        raise SlackRefuses("markdown_text_conflict")
    words = words or call.text("markdown_text")
    if not words and not blocks and not call.args.get("attachments"):
        raise SlackRefuses("no_text")
    if len(records(call.nested("attachments"))) > 100:
        raise SlackRefuses("too_many_attachments")
    thread = call.text("thread_ts") or None
    if thread is not None and space.find(conversation.id, thread) is None:
        raise SlackRefuses("thread_not_found")
    quiet = call.args.get("unfurl_links") in (False, "0", "false")
    return Draft(
        text=words,
        blocks=blocks,
        metadata=_metadata(call) or {},
        thread_ts=thread,
        unfurls=not quiet,
    )


def _blocks(call: Call) -> list[Record]:
    return posted_blocks(call.nested("blocks"))


def _metadata(call: Call) -> Record | None:
    metadata = call.nested("metadata")
    if metadata is None:
        return None
    if not is_record(metadata):
        raise SlackRefuses("invalid_metadata_format")
    kind = text(metadata, "event_type")
    if not 0 < len(kind) <= limits.METADATA_EVENT or not is_record(metadata.get("event_payload")):
        raise SlackRefuses("invalid_metadata_schema")
    return metadata
