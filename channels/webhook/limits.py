"""Every figure of the webhook medium on one page (Standard Webhooks 1.0.0, and our own caution)."""

from datetime import timedelta
from typing import Final

PAYLOAD_BYTES_MAX: Final = 20_000  # what receivers are asked to take; more leaves `details` out
FACT_CHARS_MAX: Final = 20_000

SECRET_BYTES_MIN: Final = 24
SECRET_BYTES_MAX: Final = 64
TOLERANCE: Final = timedelta(minutes=5)  # how far a timestamp may be off, both ways
SIGNATURES_MAX: Final = 16  # in one header
ID_CHARS_MAX: Final = 256

SEND_WITHIN: Final = timedelta(seconds=15)
ANSWER_BYTES_MAX: Final = 64 * 1024  # of what an endpoint answers; it is not kept
RETRY_AFTER_MAX: Final = timedelta(days=1)  # a longer wish is cut to this

CALLBACK_BYTES_MAX: Final = 64 * 1024
REMEMBERED: Final = timedelta(days=30)  # how long a callback's id is known
