"""Looks at everything a start depends on, and says all that is wrong at once."""

import asyncio
import platform
import socket
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from os import W_OK, access
from pathlib import Path
from typing import Final, assert_never

from bot.config.reading import BadConfiguration, Configuration, read
from bot.findings import Finding, Level, error, ok, warning
from bot.secret_findings import secret_findings
from bot.settings import SettingProblem, Settings
from channels.base import ChannelMisconfigured
from engine.clock import Clock, SystemClock
from engine.errors import Invalid, Unavailable
from engine.store import linked
from engine.store.apart import Guard, guard_of
from engine.store.ownership import is_owned
from engine.store.postgres_look import look
from engine.store.postgres_once import over
from engine.store.postgres_url import shown_url
from engine.store.sqlite_look import schema_of

PYTHON: Final = (3, 11)
BUILT: Final = datetime(2026, 1, 1, tzinfo=UTC)  # no clock that is right is before this
SKEW_MAX: Final = timedelta(seconds=30)
APART_MAX: Final = timedelta(seconds=2)

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def examine(
    settings: Settings,
    problems: Sequence[SettingProblem] = (),
    *,
    clock: Clock | None = None,
    env_file: Path | None = Path(".env"),
) -> list[Finding]:
    """Everything that was looked at, in the order in which to read it; nothing is changed.

    Give it what `load_with_problems` gave, so that settings that cannot be used are told too.
    """
    clock = clock or SystemClock()
    now = clock.now()
    findings = [
        *_python(),
        *_sqlite(),
        *(error(problem.text) for problem in problems),
        *(_shared(settings, clock) if settings.shared_url else _database(settings.database_path)),
        *secret_findings(settings),
        *_configuration(settings),
        *_channels(settings),
        *_address(settings),
        *_clock(settings, now),
        *_failpoints(settings),
    ]
    if env_file is not None and _is_open_to_others(env_file):
        findings.append(_open_to_others(env_file))
    return findings


def _python() -> Iterator[Finding]:
    if sys.version_info[:2] < PYTHON:
        yield error(f"Python {platform.python_version()} is too old.", "Install 3.11 or newer.")
    else:
        yield ok(f"Python {platform.python_version()}")


def _sqlite() -> Iterator[Finding]:
    version = ".".join(map(str, linked.sqlite_version()))
    if not linked.is_new_enough():
        yield error(f"SQLite {version} is too old.", "Use a Python linked to 3.35 or newer.")
    elif linked.has_reset_defect():
        yield ok(
            f"SQLite {version}, which has the WAL-reset defect of all before 3.51.3. It needs two "
            "connections that checkpoint at once; here only the writer does, so this build is safe."
        )
    else:
        yield ok(f"SQLite {version}")


def _database(path: Path) -> Iterator[Finding]:
    folder = path.absolute().parent
    if not folder.is_dir():
        yield error(f"The folder {folder} of the database is missing.", f"mkdir -p {folder}")
    elif not access(folder, W_OK):
        yield error(f"The folder {folder} cannot be written to.", "Give it to this user.")
    elif not path.exists():
        yield ok(f"The database {path} will be made at the first start.")
    elif not path.is_file() or not access(path, W_OK):
        yield error(f"The database {path} cannot be written to.", "Give the file to this user.")
    else:
        if _is_open_to_others(path):
            yield _open_to_others(path)
        running = "; a running Signoff owns it" if is_owned(path) else ""
        try:
            schema_of(path)
        except Unavailable as refused:
            yield error(str(refused))
        else:
            yield ok(f"The database {path} can be written{running}.")


def _shared(settings: Settings, clock: Clock) -> Iterator[Finding]:
    url = settings.shared_url or ""
    where = f"PostgreSQL at {shown_url(url)}"
    try:
        found = asyncio.run(look(url, clock))
    except Unavailable as refused:
        yield error(str(refused))
        return
    made = "will be made at the first start" if found.schema is None else f"is {found.schema}"
    yield ok(f"{where} can be reached; its schema {made}.")
    if found.is_read_only:
        yield error(f"{where} takes no writes.", "Name the primary, or make it writable.")
    yield _skew(found.ahead)
    if found.schema is not None:
        yield _apart(asyncio.run(over(url, guard_of)))


def _apart(guard: Guard) -> Finding:
    match guard:
        case Guard.IN_FORCE:
            return ok("PostgreSQL itself keeps tenants apart: this role sees one at a time.")
        case Guard.NOT_NEEDED:
            return ok(
                "Row-level security is not in force, for this role stands above it; there is one tenant."
            )
        case Guard.MISSING:
            return warning(
                "Row-level security is not in force, for this role stands above it: only Signoff's own "
                "queries keep its tenants apart.",
                "Let another role in with `signoff migrate --app-role NAME`, and connect as that one.",
            )
        case _:
            assert_never(guard)


def _skew(ahead: timedelta) -> Finding:
    if abs(ahead) <= APART_MAX:
        return ok("This machine's clock agrees with the database's.")
    return warning(
        f"This machine's clock is {abs(ahead).total_seconds():.0f} s "
        f"{'ahead of' if ahead > timedelta() else 'behind'} the database's, which is the one that counts.",
        "Set the clock: the log and the machine's other programs go by it.",
    )


def _configuration(settings: Settings) -> Iterator[Finding]:
    try:
        found = read(settings.config)
    except BadConfiguration as refused:
        for problem in refused.problems:
            yield error(f"{settings.config}, line {problem.line}: {problem.text}")
        return
    except Invalid as refused:
        level = Level.ERROR if settings.config.exists() else Level.WARNING
        yield Finding(level=level, text=str(refused))
        return
    others = f" and {len(found.tenants)} more tenants" if found.tenants else ""
    yield ok(f"{settings.config} names {len(found.directory.people)} people{others}.")
    if not found.directory.roles.get("operator"):
        yield warning(
            "Nobody is an operator, so nobody can sign in first.",
            'Write operator = ["…"] in [roles].',
        )
    for tenant in found.tenants:
        if not tenant.directory.roles.get("operator"):
            yield warning(
                f"Nobody is an operator of {tenant.id}: this machine's owner alone can operate it.",
                f'Write operator = ["…"] in [tenants.{tenant.id}.roles].',
            )
    if found.webhooks and _is_open_to_others(settings.config):
        yield _open_to_others(settings.config)
    yield from _unreachable(settings, found)


def _unreachable(settings: Settings, found: Configuration) -> Iterator[Finding]:
    off = {"slack": settings.slack_bot_token is None, "email": settings.smtp_url is None}
    wanted = {"slack": "SIGNOFF_SLACK_BOT_TOKEN", "email": "SIGNOFF_SMTP_URL"}
    for name, routing in found.directory.routes.items():
        for channel in sorted(channel for channel in off if routing.get(channel) and off[channel]):
            yield warning(
                f"[routes.{name}] goes to {channel}, which is off.",
                f"Set {wanted[channel]}, or remove the route.",
            )


def _channels(settings: Settings) -> Iterator[Finding]:
    parts: dict[str, Callable[[], object | None]] = {
        "Slack": settings.slack,
        "Email": settings.mail,
    }
    for name, part in parts.items():
        try:
            yield ok(f"{name} is {'off' if part() is None else 'on'}.")
        except ChannelMisconfigured:
            continue  # a problem of the settings, told with them


def _address(settings: Settings) -> Iterator[Finding]:
    yield ok(f"People reach it at {settings.base_url}.")
    path = settings.database_path
    if settings.shared_url is None and path.exists() and is_owned(path):
        return  # the port is taken by the Signoff that runs
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except (OSError, UnicodeError) as found:
        yield error(
            f"Nothing can listen on {settings.host}, port {settings.port}: {found}.",
            "Set SIGNOFF_HOST or SIGNOFF_PORT, or stop what listens there.",
        )
    else:
        yield ok(f"Port {settings.port} on {settings.host} is free.")


def _clock(settings: Settings, now: datetime) -> Iterator[Finding]:
    path = settings.database_path
    if settings.shared_url is not None:
        return  # what counts is the database's
    written = [file for file in (path, path.with_name(f"{path.name}-wal")) if file.exists()]
    latest = max((file.stat().st_mtime for file in written), default=0.0)
    mend = "Set the clock: deadlines and links go by it."
    if now < BUILT:
        yield error(f"The clock says {now:%Y-%m-%d}, which has long been over.", mend)
    elif now + SKEW_MAX < datetime.fromtimestamp(latest, UTC):
        yield error("The database was written later than the clock says it is now.", mend)
    else:
        yield ok(f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC.")


def _failpoints(settings: Settings) -> Iterator[Finding]:
    if settings.failpoints is not None:
        yield warning("SIGNOFF_FAILPOINTS makes it fail on purpose.", "Unset it after the drill.")


def _is_open_to_others(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & _OTHERS)


def _open_to_others(path: Path) -> Finding:
    return warning(f"{path} can be read by other users of this machine.", f"chmod 600 {path}")


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Whether a start can succeed: warnings do not keep it from that."""
    return all(finding.level is not Level.ERROR for finding in findings)
