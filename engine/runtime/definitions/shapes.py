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
)

from engine.rules.wording import is_table
from engine.runtime.definitions.doings import Condition, HttpStep, Step, TaskStep
from engine.runtime.definitions.terms import (
    Name,
    Shape,
    Terms,
    Text,
)
from signoff.manners import ROLLBACKS_MAX, Checkpoints, Manner
from signoff.options import StepOptions
from signoff.registry import NAME
from signoff.running import Run

OPTIONS: Final = frozenset(field.name for field in fields(StepOptions))  # what steps understand
TAG: Final = "type="  # before a step's type in the ways that Pydantic tells: never a key

AfterFailure = Literal["fail", "rollback", "resume"]
OnFailure = AfterFailure | Annotated[dict[str, AfterFailure], Field(min_length=1)]
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


def _manner(given: OnFailure | None) -> OnFailure | None:
    if given is not None:
        Manner(on_failure=given)
    return given


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
    """Does the same for each item of a list, one after the other or some at a time."""

    type: Literal["for_each"]
    items: list[JsonValue] | Text
    at_once: Annotated[int, Field(ge=1, le=100)] = Field(
        default=1, description="How many items at a time, whatever they wait for."
    )
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
    on_failure: Annotated[OnFailure | None, AfterValidator(_manner)] = Field(
        default=None,
        description="What becomes of a run that fails, in all or by the kind of failure.",
    )
    max_rollbacks: Annotated[int, Field(ge=0, le=ROLLBACKS_MAX)] | None = Field(
        default=None, description="How often a run goes back and on again by itself (3)."
    )
    checkpoints: Checkpoints | None = Field(
        default=None, description="Before what a checkpoint is made by itself."
    )
    inputs: dict[Name, AnyInput] = Field(default_factory=dict[str, Input])
    steps: Steps
    result: JsonValue = Field(default=None, description="What the run gives back.")

    @property
    def manner(self) -> Manner:
        """How its runs behave around failures and checkpoints."""
        said = {"on_failure": self.on_failure, "max_rollbacks": self.max_rollbacks}
        given: Any = {name: value for name, value in said.items() if value is not None}
        return Manner(checkpoints=self.checkpoints, **given)


for each in (ConditionStep, ForEachStep, ParallelStep, Definition):
    each.model_rebuild()
