"""What a worker does in spite of faults: a store that is away and a damaged row end nobody."""

from collections.abc import Awaitable
from typing import TypeVar

import structlog

from engine.errors import Unavailable

T = TypeVar("T")

log = structlog.get_logger("engine.runtime")


async def in_spite_of_faults(deed: Awaitable[T], otherwise: T) -> T:
    """What `deed` gives, or `otherwise` where it could not be done, which is logged."""
    try:
        return await deed
    except Unavailable as error:
        log.warning("worker.store_away", reason=str(error))
        return otherwise
    except Exception:  # border: one damaged row must not end the worker of all others
        log.exception("worker.fault")
        return otherwise
