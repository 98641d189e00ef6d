"""One call of the Web API: what was sent, how it is read, and how it is refused."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot.demo.slack.shapes import Problem
from bot.demo.trees import Record, is_record, parsed, text

_TRUE: Final = (True, "true", "1", 1)


class SlackRefuses(Exception):
    """Slack answers `ok: false`; `error` is its code, `messages` say where."""

    def __init__(self, error: str, *problems: Problem | str) -> None:
        super().__init__(error)
        self.error = error
        self.messages = [str(problem) for problem in problems]

    def as_answer(self) -> Record:
        """The body that Slack sends."""
        answer: Record = {"ok": False, "error": self.error}
        if self.messages:
            answer["errors"] = [message.removeprefix("[ERROR] ") for message in self.messages]
            answer["response_metadata"] = {"messages": self.messages}
        return answer


@dataclass(slots=True, kw_only=True)
class Call:
    """A call as it arrived. `status` and `answer` are what went back; 0 means nothing did."""

    method: str
    args: Record
    token: str
    at: datetime
    status: int = 0
    answer: Record = field(default_factory=dict[str, object])

    def text(self, name: str) -> str:
        """A string argument, or an empty one."""
        return text(self.args, name)

    def needed(self, name: str) -> str:
        """A string argument that must be there.

        Raises:
            SlackRefuses: if it is missing or empty.
        """
        if not (value := self.text(name)):
            raise SlackRefuses(
                "invalid_arguments",
                Problem(pointer="", message=f"missing required field: {name}"),
            )
        return value

    def is_true(self, name: str) -> bool:
        """A boolean argument, in any of the spellings that clients use."""
        return self.args.get(name) in _TRUE

    def number(self, name: str, default: int) -> int:
        """A whole number, sent as such or as text.

        Raises:
            SlackRefuses: if it is neither.
        """
        value = self.args.get(name, default)
        if isinstance(value, int):
            return value
        if isinstance(value, str) and value.isdecimal():
            return int(value)
        raise SlackRefuses("invalid_arguments", f"[ERROR] must be an integer: {name}")

    def nested(self, name: str) -> object:
        """An argument that is JSON, whether it came as JSON or as text.

        Raises:
            SlackRefuses: if it is text that is not JSON.
        """
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return parsed(value)
        except ValueError:
            error = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
            raise SlackRefuses(error) from None


async def read_call(request: Request, at: datetime) -> Call:
    """The call in `request`: its query, its form or its JSON, and its token.

    Raises:
        SlackRefuses: if the body cannot be read as what it says it is.
    """
    args: Record = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    match kind:
        case "application/json":
            try:
                sent = parsed(body)
            except ValueError:
                raise SlackRefuses("invalid_json") from None
            if not is_record(sent):
                raise SlackRefuses("json_not_object")
            args |= sent
        case "multipart/form-data":
            args |= {key: str(value) for key, value in (await request.form()).items()}
        case "application/x-www-form-urlencoded":
            args |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        case _ if body:
            raise SlackRefuses("invalid_post_type")
        case _:
            pass
    token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    return Call(
        method=request.path_params["method"], args=args, token=token or text(args, "token"), at=at
    )
