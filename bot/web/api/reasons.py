"""Why something was done: every verb that changes what others wait for needs a reason."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

REASON_CHARS_MAX = 2_000

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_CHARS_MAX),
    Field(description="Kept in the journal and shown.", examples=["Ordered twice."]),
]


class Because(BaseModel):
    """Why it is done."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class More(Because):
    """How much more time people get, and why."""

    by: Annotated[str, Field(max_length=20, examples=["2h"])]
