"""The steps of a definition that change the world, as they are written: functions and requests, and their undos."""

from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
    model_validator,
)

from engine.rules.retry import CLASSES_MAX, Growth, parse_retries
from engine.runtime.definitions.terms import Approvers, Length, Name, Shape, Text, TitledTerms
from signoff.undoing import RETRIES_MAX

Condition = Annotated[
    str,
    StringConstraints(min_length=1, max_length=4_000),
    Field(description="CEL over inputs, steps and run.", examples=["inputs.amount > 500"]),
]
Function = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][\w.-]*(:[A-Za-z_][\w.]*)?$", max_length=200),
    Field(description="A registered task's name, or module:function.", examples=["shop:pay_back"]),
]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def _retries(given: JsonValue) -> JsonValue:
    if given is not None:
        parse_retries(given)
    return given


_CLASSES: Final[dict[str, JsonValue]] = {
    "type": "array",
    "items": {"type": "string"},
    "maxItems": CLASSES_MAX,
    "examples": [["TimeoutError"]],
}
RETRIES_SCHEMA: Final[dict[str, JsonValue]] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 99},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "attempts": {"type": "integer", "minimum": 1, "maximum": 100},
                "first_delay": {"type": "string", "examples": ["1s"]},
                "factor": {"type": "number", "minimum": 1, "maximum": 10},
                "longest_delay": {"type": "string", "examples": ["5m"]},
                "growth": {"enum": [str(growth) for growth in Growth]},
                **dict.fromkeys(("only", "never", "no_effect"), _CLASSES),
            },
        },
    ]
}


class Step(Shape):
    """What every step has."""

    name: Name
    description: Text | None = None
    when: Condition | None = Field(
        default=None, description="The step is left out, and its result null, unless this holds."
    )
    needs: list[Name] | None = Field(
        default=None, description="Steps beside this one that come before it, wherever they stand."
    )


class Doing(Step):
    """What every step has that changes the world."""

    request_id: Text | None = None
    retries: Annotated[JsonValue, AfterValidator(_retries)] = Field(
        default=None,
        description="How many further attempts a failed step has; or how many in all, and the pauses.",
        json_schema_extra=RETRIES_SCHEMA,
    )
    timeout: Length | None = None
    cost: JsonValue = None
    create_checkpoint: bool | Name = Field(
        default=False, description="Whether a checkpoint follows, and what it is called."
    )
    requires_approval: Literal["before", "after"] | None = None
    approval: TitledTerms | None = None

    @model_validator(mode="after")
    def _is_asked_whole(self) -> "Doing":
        if (self.requires_approval is None) != (self.approval is None):
            raise ValueError("`requires_approval` and `approval` go together. Write both.")
        return self


class UndoTerms(Shape):
    """An undo and its terms: a function of yours, or a request."""

    task: Function | None = None
    method: Method | None = None
    url: Text | None = Field(
        default=None, description="{name} is that field of what the step returned."
    )
    body: JsonValue = None
    headers: dict[str, str] | None = None
    retries: Annotated[int, Field(ge=0, le=RETRIES_MAX)] | None = None
    timeout: Length | None = None
    needs: Approvers | None = Field(default=None, description="Who is asked before it is done.")
    irreversible: bool = Field(default=False, description="Whether it is done at most once.")
    kind: Text | None = Field(default=None, description="A word for rollbacks of some steps alone.")

    @model_validator(mode="after")
    def _is_one(self) -> "UndoTerms":
        if (self.task is None) == (self.url is None):
            raise ValueError("An undo is a `task`, or a `method` and a `url`. Write one of them.")
        if (self.method is None) != (self.url is None):
            raise ValueError("`method` and `url` go together. Write both.")
        return self


def _how(undo: Any) -> str:
    return "function" if isinstance(undo, str) else "terms"


AnyUndo = Annotated[
    Annotated[Function, Tag("function")] | Annotated[UndoTerms, Tag("terms")], Discriminator(_how)
]


def _check_undo(step: "TaskStep | HttpStep") -> None:
    if step.requires_approval == "after" and step.undo is None:
        raise ValueError("What people review afterwards must have an `undo`. Write one.")
    if step.probe is not None and not step.irreversible:
        raise ValueError("A `probe` belongs to a step that is `irreversible: true`.")


class TaskStep(Doing):
    """Calls a function of yours."""

    type: Literal["task"]
    task: Function
    with_: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], alias="with", description="Its arguments by name."
    )
    args: list[JsonValue] = Field(
        default_factory=list[JsonValue], description="Its arguments in order."
    )
    undo: AnyUndo | None = None
    irreversible: bool = False
    probe: Function | None = None

    @model_validator(mode="after")
    def _can_be_undone(self) -> "TaskStep":
        _check_undo(self)
        return self


class HttpStep(Doing):
    """Sends an HTTP request, with its request id as the idempotency key."""

    type: Literal["http"]
    method: Method = "GET"
    url: Text = Field(examples=["https://erp.example.com/orders/${inputs.order}"])
    body: JsonValue = Field(default=None, description="What is sent as JSON.")
    headers: dict[str, str] | None = Field(
        default=None, description="Sent along; secrets as ${secret.NAME}."
    )
    undo: AnyUndo | None = None
    irreversible: bool = False
    probe: Function | None = None

    @model_validator(mode="after")
    def _can_be_undone(self) -> "HttpStep":
        _check_undo(self)
        return self
