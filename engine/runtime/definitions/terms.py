"""What may be said about an approval in a definition: the same terms as in code."""

from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
)

from engine.rules.approvers import parse_approvers
from engine.rules.content import ACTION_CHARS_MAX, TITLE_CHARS_MAX
from engine.rules.definitions import check_name
from engine.rules.durations import parse_duration
from engine.rules.ladder import parse_ladder
from signoff.asking import RunTerms

KNOWN: Final = frozenset(RunTerms.__annotations__)  # what the run itself understands


class Shape(BaseModel):
    """Something written down: exactly these keys, each of exactly this type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _name(text: str) -> str:
    check_name(text)
    return text


def _duration(text: str) -> str:
    if "${" not in text:
        parse_duration(text)
    return text


def _approvers(value: str | list[str]) -> str | list[str]:
    if "${" not in str(value):
        parse_approvers(value)
    return value


def _ladder(rungs: list[str], info: ValidationInfo) -> list[str]:
    if not any("${" in rung for rung in rungs):
        parse_ladder(rungs, risk=str(info.data.get("risk") or "medium"))
    return rungs


Name = Annotated[
    str, AfterValidator(_name), Field(json_schema_extra={"pattern": "^[a-z][a-z0-9_]{0,63}$"})
]
Length = Annotated[str, AfterValidator(_duration), Field(examples=["30s", "5m", "4h", "2d"])]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Approvers = Annotated[
    str | list[str], AfterValidator(_approvers), Field(examples=["group:finance", "person:ana"])
]
Quorum = (
    Annotated[int, Field(ge=1)]
    | Literal["all", "majority"]
    | dict[str, Annotated[int, Field(ge=1)]]
)


class Terms(Shape):
    """Who is asked, about what, until when, and what a no means for the run."""

    approvers: Approvers
    action: Annotated[str, StringConstraints(min_length=1, max_length=ACTION_CHARS_MAX)] | None = (
        Field(default=None, description="What policies match on; the step's name if not given.")
    )
    details: dict[str, JsonValue] | None = Field(
        default=None, description="What the approvers see, and whose digest they approve."
    )
    quorum: Quorum | None = Field(default=None, description="How many must agree (1).")
    reject_quorum: Annotated[int, Field(ge=1)] | None = None
    risk: Literal["low", "medium", "high"] | None = None
    ladder: Annotated[list[str], AfterValidator(_ladder)] | None = Field(
        default=None, examples=[["remind after 30m", "reject after 4h"]]
    )
    comment: Literal["optional", "on_reject", "required"] | None = None
    requester: str | None = None
    routes: dict[str, JsonValue] | None = None
    on_reject: Literal["rollback", "fail", "resume"] | None = None
    rollback_to: Text | None = Field(
        default=None, description="Where a rejection goes back to: a checkpoint, start or latest."
    )
    kind: Literal["binary", "form", "budget", "modify"] | None = None
    fields: list[str] | None = Field(
        default=None, description="With kind modify: what the approvers may change."
    )
    form: dict[str, JsonValue] | None = Field(
        default=None, description="With kind form: a flat JSON schema of what approvers fill in."
    )
    valid_for: Length | None = None


class TitledTerms(Terms):
    """The approval of a task, whose title may be left to its name."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=TITLE_CHARS_MAX)] | None = None


def unknown_terms(given: Terms) -> list[str]:
    """The terms that are written and that runs do not understand yet."""
    known = KNOWN | {"title"}
    return [
        name
        for name in type(given).model_fields
        if name in given.model_fields_set and name in Terms.model_fields and name not in known
    ]
