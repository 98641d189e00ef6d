"""What Slack sends, read strictly: the parts that are used, each of the kind it must be."""

import json
from dataclasses import dataclass
from typing import Annotated, Final, Literal
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from channels.slack import limits
from channels.slack.trees import is_record
from engine.errors import Invalid

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"

Id = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,32}$")]
Value = Annotated[str, Field(max_length=limits.BUTTON_VALUE)]
Name = Annotated[str, Field(max_length=limits.ACTION_ID)]
Url = Annotated[str, Field(max_length=limits.BUTTON_URL)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The installation a request comes from, and who acted. `home` is the workspace they belong to,
    another one for guests of Slack Connect.
    """

    team: str | None
    enterprise: str | None
    home: str | None
    user: str
    app: str | None


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Team(_Wire):
    id: Id


class User(_Wire):
    id: Id
    team_id: Id | None = None


class Place(_Wire):
    id: Id


class Option(_Wire):
    value: Value | None = None


class Action(_Wire):
    action_id: Name
    type: Name
    value: Value | None = None
    selected_option: Option | None = None


class _From(_Wire):
    """Where every interaction says it comes from."""

    team: Team | None = None
    enterprise: Team | None = None
    user: User
    api_app_id: Id | None = None
    trigger_id: Name | None = None

    @property
    def origin(self) -> Origin:
        team = self.team.id if self.team else None
        return Origin(
            team=team,
            enterprise=self.enterprise.id if self.enterprise else None,
            home=self.user.team_id or team,
            user=self.user.id,
            app=self.api_app_id,
        )


class BlockActions(_From):
    """Somebody pressed a button or chose from a menu."""

    type: Literal["block_actions"]
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=25, strict=False)]
    channel: Place | None = None
    response_url: Url | None = None


class Input(_Wire):
    """One field of a modal: which of these is given depends on its type."""

    type: Name = ""
    value: Annotated[str, Field(max_length=limits.SECTION_TEXT)] | None = None
    selected_date: Name | None = None
    selected_option: Option | None = None
    selected_options: Annotated[tuple[Option, ...], Field(max_length=100, strict=False)] | None = (
        None
    )


class State(_Wire):
    values: dict[str, dict[str, Input]] = {}


class View(_Wire):
    type: Literal["modal", "home"] = "modal"
    callback_id: Name
    private_metadata: Annotated[str, Field(max_length=limits.PRIVATE_METADATA)] = ""
    state: State = State()


class ViewSubmission(_From):
    """Somebody sent a modal off."""

    type: Literal["view_submission"]
    view: View


class OtherInteraction(_From):
    """A kind of interaction that changes nothing here."""

    type: Literal["view_closed", "shortcut", "message_action", "block_suggestion"]


class Command(_Wire):
    """Somebody typed a slash command."""

    command: Name
    text: Annotated[str, Field(max_length=limits.COMMAND_TEXT)] = ""
    team_id: Id | None = None
    enterprise_id: Id | None = None
    user_id: Id
    channel_id: Id | None = None
    api_app_id: Id | None = None
    response_url: Url | None = None

    @property
    def origin(self) -> Origin:
        return Origin(
            team=self.team_id,
            enterprise=self.enterprise_id,
            home=self.team_id,
            user=self.user_id,
            app=self.api_app_id,
        )


class EventBody(_Wire):
    type: Name


class Event(_Wire):
    """Something happened that the app asked to be told."""

    type: Literal["event_callback", "app_rate_limited"]
    team_id: Id | None = None
    enterprise_id: Id | None = None
    api_app_id: Id | None = None
    event: EventBody = EventBody(type="app_rate_limited")

    @property
    def origin(self) -> Origin:
        return Origin(
            team=self.team_id,
            enterprise=self.enterprise_id,
            home=self.team_id,
            user="",
            app=self.api_app_id,
        )


class Handshake(_Wire):
    """Slack asks whether somebody listens at this address."""

    type: Literal["url_verification"]
    challenge: Annotated[str, Field(min_length=1, max_length=1_000)]


Interaction = BlockActions | ViewSubmission | OtherInteraction
Heard = Interaction | Command | Event
Incoming = Heard | Handshake

_INTERACTION: Final[TypeAdapter[Interaction]] = TypeAdapter(
    Annotated[Interaction, Field(discriminator="type")]
)
_JSON_BODY: Final[TypeAdapter[Event | Handshake]] = TypeAdapter(
    Annotated[Event | Handshake, Field(discriminator="type")]
)
_COMMAND: Final = TypeAdapter(Command)


def is_ssl_check(fields: dict[str, str]) -> bool:
    """Whether this form only asks whether the server's certificate is good."""
    return fields.get("ssl_check") == "1" and fields.keys() <= {"ssl_check", "token"}


def form(body: bytes) -> dict[str, str]:
    """The fields of a form, each given once.

    Raises:
        Invalid: for anything else.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=limits.FORM_FIELDS,
        )
    except ValueError as error:
        raise _unreadable() from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _unreadable()
    return fields


def read(body: bytes, *, is_json: bool) -> Incoming:
    """What `body` says.

    Raises:
        Invalid: if it is not something that Slack sends.
    """
    try:
        if is_json:
            return _JSON_BODY.validate_python(_record(body))
        fields = form(body)
        if "payload" in fields:
            return _INTERACTION.validate_python(_record(fields["payload"].encode()))
        return _COMMAND.validate_python(fields)
    except (ValidationError, ValueError, RecursionError) as error:
        # The error's own words would repeat what was sent, response URLs included.
        raise _unreadable() from error


def _record(text: bytes) -> dict[str, object]:
    value: object = json.loads(text.decode("utf-8"))
    if not is_record(value):
        raise _unreadable()
    return value


def _unreadable() -> Invalid:
    return Invalid("The request cannot be read.", code="bad_request")
