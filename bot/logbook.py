"""The log: one line for each thing worth knowing, on stderr, without secrets."""

import logging
import sys
from typing import Any, Final, Literal

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from channels.visible import visible
from engine.redaction import is_secret, without_secrets
from engine.rules.wording import is_sequence, is_table

HIDDEN: Final = "[hidden]"
# A busy worker begins and ends a thousand runs in a second; the journal has all of them anyway.
QUIET: Final = (
    "engine.runtime",
    "channels",
    "alembic",
    "uvicorn",
    "uvicorn.error",
    "slack_bolt",
    "slack_sdk",
)

_MANY_LINES: Final = frozenset({"exception", "stack"})


def configure(form: Literal["console", "json"], *, level: int = logging.INFO) -> None:
    """Send every log of this process to stderr, ours and the libraries'; call it once, at the start.

    What happens to each single run, and libraries' chatter, is told from `WARNING` on, unless
    `level` is `DEBUG`.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _written(form)],
        )
    )
    # Nobody is told of them, and each line would look them up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers = [to_stderr]
    root.setLevel(level)
    quiet = logging.WARNING if level > logging.DEBUG else level
    for name in QUIET:
        logging.getLogger(name).setLevel(quiet)


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop whatever is named like a secret or looks like one, at any depth."""
    return {name: _without_secrets(name, value) for name, value in event.items()}


def _without_secrets(name: str, value: object) -> Any:
    if is_secret(name):
        return HIDDEN
    match value:
        case str():
            return _told(name, value)
        case bytes():
            return _told(name, value.decode(errors="replace"))
        case _ if is_table(value):
            return {str(key): _without_secrets(str(key), item) for key, item in value.items()}
        case _ if is_sequence(value):
            return [_without_secrets("", item) for item in value]
        case _:
            return value


def _told(name: str, text: str) -> str:
    # Paths and messages come from strangers: they must neither steer the terminal nor begin a line.
    shown = visible(without_secrets(text, HIDDEN))
    return shown if name in _MANY_LINES else shown.replace("\n", "⟨U+000A⟩")


def _written(form: Literal["console", "json"]) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
