"""What is answered about changes of what was asked, and what all answers are made of."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Something that is answered; fields are added over time, and none is renamed."""

    model_config = ConfigDict(extra="allow")


class FieldChange(Answer):
    """One field, as it was asked and as it would be."""

    field: str
    old: Any
    new: Any


class Outcome(Answer):
    """What some approvers agree to. A vote with its `digest` agrees to exactly that, too."""

    digest: str
    changes: dict[str, Any]
    differences: list[FieldChange]
    by: list[str]
    have: int
    need: int


class Effective(Answer):
    """What takes effect: what was asked, with what was decided."""

    digest: str
    details: dict[str, Any]
    call: dict[str, Any] | None
