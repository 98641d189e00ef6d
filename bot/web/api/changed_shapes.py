"""What all answers are made of, how far an approval has come, what was changed of it, and who said so."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from engine.rules.tally import Choice


class Answer(BaseModel):
    """Something that is answered; fields are added over time, and none is renamed."""

    # Made when the description is, and never where nobody asks for that.
    model_config = ConfigDict(extra="allow", defer_build=True)


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
    form: dict[str, Any] | None = None


class Count(Answer):
    """How many there are, of how many that it takes."""

    have: int
    need: int


class GroupCount(Count):
    """How many of one group."""

    name: str


class Progress(Answer):
    """How far an approval has come, and who can still answer."""

    approve: Count
    reject: Count
    groups: list[GroupCount]
    can_still: list[str]


class Vote(Answer):
    """What one person said. `counted` is false for late votes and for those of earlier versions."""

    person: str
    choice: Choice
    comment: str | None
    changes: dict[str, Any] | None
    form: dict[str, Any] | None
    channel: str
    identified_by: str
    at: datetime
    counted: bool


class Decision(Answer):
    """What the votes, a rung or whoever asked made of it."""

    outcome: str
    changes: dict[str, Any]
    form: dict[str, Any] | None = None
    by: list[str]
    rule: str
    at: datetime
    consumed_at: datetime | None
