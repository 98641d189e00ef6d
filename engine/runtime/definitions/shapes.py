"""The shapes of a definition: its inputs and its kinds of step, as they are written."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
    model_validator,
)

from engine.rules.retry import parse_retries
from engine.rules.wording import BadRule, is_table
from engine.runtime.definitions.terms import Length, Name, Shape, Terms, Text, TitledTerms
from signoff.options import StepOptions
from signoff.registry import NAME
from signoff.running import Run

OPTIONS: Final = frozenset(field.name for field in fields(StepOptions))  # what steps understand
TAG: Final = "type="  # before a step's type in the ways that Pydantic tells: never a key

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
Workflow = Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]


InputType = Literal["string", "integer", "number", "boolean", "money", "array", "object"]


class Input(Shape):
    """One input: its type, and what it is when nobody gives it."""

    type: InputType = "string"
    description: Text | None = None
    default: JsonValue = None
    required: bool | None = Field(
        default=None, description="Whether it must be given; by itself, if it has no default."
    )
    choices: list[JsonValue] | None = Field(default=None, min_length=1)

    @property
    def is_required(self) -> bool:
        """Whether a run cannot begin without it."""
        return "default" not in self.model_fields_set if self.required is None else self.required


def _in_full(given: object) -> object:
    return {"type": given} if isinstance(given, str) else given


def _retries(given: JsonValue) -> JsonValue:
    if given is not None:
        parse_retries(given)
    if is_table(given):
        raise BadRule("bad_definition", "Write how often it is tried again, as a number.")
    return given


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
        description="How many further attempts a failed step has.",
        json_schema_extra={"type": "integer", "minimum": 0, "maximum": 99},
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
    undo: Function | None = None
    irreversible: bool = False
    probe: Function | None = None

    @model_validator(mode="after")
    def _can_be_undone(self) -> "TaskStep":
        _check_undo(self)
        return self


class HttpStep(Doing):
    """Sends an HTTP request, with its request id as the idempotency key."""

    type: Literal["http"]
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Text = Field(examples=["https://erp.example.com/orders/${inputs.order}"])
    body: JsonValue = Field(default=None, description="What is sent as JSON.")
    headers: dict[str, str] | None = Field(default=None, description="Sent along; no secrets here.")
    undo: Function | None = None
    irreversible: bool = False
    probe: Function | None = None

    @model_validator(mode="after")
    def _can_be_undone(self) -> "HttpStep":
        _check_undo(self)
        return self


class ApprovalStep(Step, Terms):
    """Waits until people have decided."""

    type: Literal["approval"]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CheckpointStep(Step):
    """Names a point to which the run can be rolled back."""

    type: Literal["checkpoint"]
    state: dict[str, JsonValue] | None = Field(
        default=None, description="What is worth keeping; all results so far if not given."
    )
    asked: Text | None = None
    task: Text | None = None


class ConditionStep(Step):
    """Takes one way or the other."""

    type: Literal["condition"]
    if_: Condition = Field(alias="if")
    then: "Steps"
    else_: "Steps | None" = Field(default=None, alias="else")


class ForEachStep(Step):
    """Does the same for each item of a list, one after the other."""

    type: Literal["for_each"]
    items: list[JsonValue] | Text
    as_: Name = Field(default="item", alias="as")
    steps: "Steps"


class ParallelStep(Step):
    """Goes along several branches at once, and on when all have come to their end."""

    type: Literal["parallel"]
    branches: dict[Name, "Steps"] = Field(min_length=1)


class ChildStep(Step):
    """Starts a run of another workflow and waits for its result."""

    type: Literal["child"]
    workflow: Workflow
    input: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


KINDS: Final[Mapping[str, type[Step]]] = {
    "task": TaskStep,
    "http": HttpStep,
    "approval": ApprovalStep,
    "checkpoint": CheckpointStep,
    "condition": ConditionStep,
    "for_each": ForEachStep,
    "parallel": ParallelStep,
    "child": ChildStep,
}
# A kind of step is understood where runs can do it.
TYPES: Final = tuple(
    kind
    for kind in KINDS
    if hasattr(Run, {"parallel": "gather", "child": "child", "http": "http"}.get(kind, "step"))
)


def _tag(step: Any) -> str | None:
    if is_table(step):
        return f"{TAG}{step.get('type')}" if "type" in step else None
    return f"{TAG}{getattr(step, 'type', None)}"


AnyStep = Annotated[
    Annotated[TaskStep, Tag("type=task")]
    | Annotated[HttpStep, Tag("type=http")]
    | Annotated[ApprovalStep, Tag("type=approval")]
    | Annotated[CheckpointStep, Tag("type=checkpoint")]
    | Annotated[ConditionStep, Tag("type=condition")]
    | Annotated[ForEachStep, Tag("type=for_each")]
    | Annotated[ParallelStep, Tag("type=parallel")]
    | Annotated[ChildStep, Tag("type=child")],
    Discriminator(_tag),
]
Steps = Annotated[list[AnyStep], Field(min_length=1)]


AnyInput = Annotated[Input, BeforeValidator(_in_full, json_schema_input_type=Input | InputType)]


class Definition(Shape):
    """A workflow, written down."""

    name: Workflow
    description: Text | None = None
    inputs: dict[Name, AnyInput] = Field(default_factory=dict[str, Input])
    steps: Steps
    result: JsonValue = Field(default=None, description="What the run gives back.")


for each in (ConditionStep, ForEachStep, ParallelStep, Definition):
    each.model_rebuild()
