"""What becomes of a claim on an effect, given what is stored under its request id."""

from enum import StrEnum
from typing import assert_never


class ReceiptState(StrEnum):
    """Where an effect stands. An alias is another name of an effect, and has no state of its own."""

    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    FAILED_NO_EFFECT = "failed_no_effect"
    UNKNOWN = "unknown"
    ALIAS = "alias"


class Standing(StrEnum):
    """What whoever claims is answered."""

    GRANTED = "granted"
    REPEATED = "repeated"
    IN_PROGRESS = "in_progress"
    UNKNOWN = "unknown"


def standing(state: ReceiptState, *, is_over: bool) -> Standing:
    """What a further claim on an effect gets; `is_over` says that the last claim's time is.

    A claimer that is not heard of in time may have had its effect: that is unknown, and nobody's to
    repeat. One that failed without an effect leaves the way free.
    """
    match state:
        case ReceiptState.SUCCEEDED:
            return Standing.REPEATED
        case ReceiptState.FAILED_NO_EFFECT:
            return Standing.GRANTED
        case ReceiptState.UNKNOWN:
            return Standing.UNKNOWN
        case ReceiptState.CLAIMED | ReceiptState.ALIAS:
            return Standing.UNKNOWN if is_over else Standing.IN_PROGRESS
        case _:
            assert_never(state)
