"""What the app's answers do: close, change and stack modals, and whisper or say replies."""

from bot.demo.slack.api_chat import posted_blocks
from bot.demo.slack.api_views import named_view
from bot.demo.slack.blocks import Surface, view_problems
from bot.demo.slack.calls import SlackRefuses
from bot.demo.slack.line import Heard
from bot.demo.slack.messages import Message
from bot.demo.slack.permits import ResponseUrl
from bot.demo.slack.views import View
from bot.demo.slack.workspace import Draft, Workspace
from bot.demo.trees import Record, record, records, text

_TRUE = (True, "true")


class Answers:
    """Carries out what the app said in return. What Slack would not accept raises or is refused."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def to_submission(self, view: View, heard: Heard) -> bool:
        """Do what the answer to a submit says; False when Slack could not make sense of it."""
        if not heard.text.strip():
            self._space.views.close(view)
            return True
        match text(heard.json, "response_action"):
            case "errors":
                return self._errors(view, record(heard.json.get("errors")))
            case "clear":
                self._space.views.clear(view.user)
                return True
            case "update" | "push" as action:
                return self._view(view, action, heard.json.get("view"))
            case _:
                return False

    def to_command(self, user: str, channel: str, heard: Heard) -> None:
        """Show the direct answer to a command: only to whoever typed it, unless said otherwise."""
        answer = heard.json or {"text": heard.text}
        words = text(answer, "text")
        try:
            blocks = posted_blocks(answer.get("blocks"))
        except SlackRefuses as refused:
            self._space.notices[user] = f"The command failed with the error “{refused.error}”."
            return
        if not words and not blocks:
            return
        whisper = text(answer, "response_type") != "in_channel"
        draft = Draft(text=words, blocks=blocks, only_for=user if whisper else None)
        self._space.post(channel, self._space.house.bot_user, draft)

    def to_response_url(self, url: ResponseUrl, body: Record) -> None:
        """Do what was posted to a response URL.

        Raises:
            SlackRefuses: if it holds nothing to show, or Block Kit would refuse it.
        """
        if body.get("delete_original") in _TRUE:
            if url.message is not None:
                url.message.deleted = True
                self._space.changes.announce()
            return
        words, blocks = text(body, "text"), posted_blocks(body.get("blocks"))
        if not words and not blocks:
            raise SlackRefuses("no_text")
        if body.get("replace_original") in _TRUE and url.message is not None:
            self._space.change(url.message, text=words, blocks=blocks)
            return
        whisper = text(body, "response_type") != "in_channel"
        draft = Draft(
            text=words,
            blocks=blocks,
            only_for=url.user if whisper else None,
            thread_ts=text(body, "thread_ts") or None,
            answers=url.path,
        )
        self._space.post(url.channel, self._space.house.bot_user, draft)

    def said(self, user: str, channel: str, words: str) -> Message:
        """An ordinary message of a person."""
        return self._space.post(channel, user, Draft(text=words))

    def _errors(self, view: View, errors: Record) -> bool:
        blocks = records(view.content.get("blocks"))
        asked = {text(block, "block_id") for block in blocks if block.get("type") == "input"}
        if not errors or not asked.issuperset(errors):
            return False
        view.errors = {block_id: str(words) for block_id, words in errors.items()}
        return True

    def _view(self, view: View, action: str, content: object) -> bool:
        if view_problems(content, Surface.MODAL):
            return False
        shown = named_view(self._space, record(content))
        if action == "push":
            return self._space.views.push(view.user, shown) is not None
        self._space.views.replace(view, shown)
        return True
