"""Everything that chaos needs before the first fault: the database, the world outside, the processes."""

import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from bot.chaos import company, notes
from bot.chaos.children import Child, Place, nursery
from bot.chaos.dice import Dice
from bot.chaos.doors import Doors
from bot.chaos.target import Target
from bot.chaos.telling import DESK
from bot.demo.serving import bound, served
from bot.demo.world import World, world
from engine.clock import SystemClock
from engine.ids import DEFAULT_TENANT, PersonId, SystemIds
from engine.rules.durations import say_duration
from engine.services import keys, sign_ins
from engine.services.keys import NewKey, Scope
from engine.store.database import Transaction
from engine.store.postgres import PostgresDatabase, Surroundings, Width, opened_on
from engine.store.postgres_once import migrated
from engine.tokens import Tokens

HOST: Final = "127.0.0.1"
TOGETHER: Final = 25  # people who sign in with one deed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many processes there are, how long their leases are, and who else may vote."""

    servers: int = 2
    workers: int = 4
    lease: timedelta = timedelta(seconds=2)
    crowd: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What stands when chaos may begin."""

    url: str
    world: World
    target: Target
    servers: Sequence[Child]
    workers: Sequence[Child]
    doors: Doors
    clock: SystemClock
    secrets: Sequence[str]

    @property
    def children(self) -> list[Child]:
        """All processes."""
        return [*self.servers, *self.workers]


@asynccontextmanager
async def ground(url: str, shape: Shape, dice: Dice) -> AsyncGenerator[Ground]:
    """The empty database at `url` made ready, and everything at work on it, until the block ends.

    Raises:
        Refused: `not_empty`, if the database holds tables.
        Unavailable: if it cannot be reached.
        Fault: if a process does not begin.
    """
    await notes.check_empty(url)
    await migrated(url)
    await notes.begin(url)
    clock, ids = SystemClock(), SystemIds()
    secret = ids.secret()
    async with AsyncExitStack() as stack:
        outside = await stack.enter_async_context(world(clock, ids=ids, house=company.house(ids)))
        target = Target(clock, dice.of("target"))
        at = await stack.enter_async_context(served(Starlette(routes=[target.route])))
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True)
        )
        ports = _free_ports(shape.servers)
        bases = [f"http://{HOST}:{port}" for port in ports]
        places = [
            _place(
                url, outside, at, shape, {**_shared(secret, bases[0]), "SIGNOFF_PORT": str(port)}
            )
            for port in ports
        ]
        servers = _children("server", places, Path(folder))
        workers = _children(
            "worker",
            [places[number % len(places)] for number in range(shape.workers)],
            Path(folder),
        )
        doors = Doors(outside, bases, clock=clock, dice=dice.of("doors"))
        stack.push_async_callback(doors.close)
        for child in (*servers, *workers):
            stack.push_async_callback(child.end)
            await child.start()
        await _let_in(url, Tokens(secret.encode()), doors, shape.crowd)
        yield Ground(
            url=url,
            world=outside,
            target=target,
            servers=servers,
            workers=workers,
            doors=doors,
            clock=clock,
            secrets=[secret, *_secrets(outside, doors)],
        )


def _secrets(outside: World, doors: Doors) -> list[str]:
    """What nobody may ever find in a row or in a log."""
    house = outside.slack.house
    tokens = [house.bot_token, house.signing_secret, *outside.hooks.secrets]
    return [*tokens, doors.key, *doors.sessions.values()]


def _free_ports(number: int) -> list[int]:
    probes = [bound(HOST, 0) for _ in range(number)]
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _place(url: str, outside: World, target: str, shape: Shape, own: Mapping[str, str]) -> Place:
    slack = outside.slack
    settings = {
        **own,
        "SIGNOFF_LEASE_FOR": say_duration(shape.lease),
        "SIGNOFF_WORKFLOWS": "bot.chaos.flows,bot.chaos.guarded",
        "SIGNOFF_SLACK_API_URL": slack.api_url,
        "SIGNOFF_SLACK_BOT_TOKEN": slack.house.bot_token,
        "SIGNOFF_SLACK_SIGNING_SECRET": slack.house.signing_secret,
        "SIGNOFF_SMTP_URL": outside.mail.smtp_url,
        "SIGNOFF_MAIL_FROM": "Signoff <signoff@example.com>",
        "SIGNOFF_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
        "SIGNOFF_CALLBACK_ALLOW_NETS": "127.0.0.0/8",
        "SIGNOFF_OPEN_APPROVALS_MAX": "0",
    }
    hooks = outside.hooks
    configuration = company.configuration(
        hooks_url=hooks.url, hooks_secret=hooks.secrets[0], crowd=shape.crowd
    )
    return Place(settings=settings, url=url, target=target, configuration=configuration)


def _shared(secret: str, base: str) -> dict[str, str]:
    # One address for all, as in earnest: what is delivered again must be the same to the byte.
    return {"SIGNOFF_HOST": HOST, "SIGNOFF_SECRET_KEY": secret, "SIGNOFF_BASE_URL": base}


def _children(kind: str, places: Sequence[Place], folder: Path) -> list[Child]:
    arguments = {"server": ("serve", "--doors-only", "--json"), "worker": ("worker", "--json")}
    begin = nursery()
    return [
        Child(
            name=f"{kind}-{number}",
            arguments=arguments[kind],
            folder=folder / f"{kind}-{number}",
            place=place,
            nursery=begin,
            clock=SystemClock(),
        )
        for number, place in enumerate(places, 1)
    ]


async def _let_in(url: str, tokens: Tokens, doors: Doors, crowd: Sequence[str]) -> None:
    people = [*company.CREW, company.OPERATOR, DESK, *crowd]
    around = Surroundings(ids=SystemIds(), tokens=tokens)
    async with opened_on(url, around, width=Width(writers=1, readers=1)) as database:
        await _sign_in(database, doors, people)


async def _sign_in(database: PostgresDatabase, doors: Doors, people: Sequence[str]) -> None:
    new = NewKey(name="chaos", scopes=tuple(Scope))

    def key(tx: Transaction) -> str:
        return keys.create(tx, DEFAULT_TENANT, new, by="chaos")[1]

    def sessions(tx: Transaction, some: Sequence[str]) -> dict[str, str]:
        return {person: _session(tx, PersonId(person)) for person in some}

    ours = database.of(DEFAULT_TENANT)
    doors.key = await ours.write(key)
    # A deed that does nothing for others for half a minute is ended, however busy the machine is.
    for first in range(0, len(people), TOGETHER):
        some = people[first : first + TOGETHER]
        begun = await ours.write(partial(sessions, some=some))
        doors.sessions.update({person: token for person, token in begun.items() if token})


def _session(tx: Transaction, person: PersonId) -> str:
    terminal = sign_ins.begin_terminal(tx, f"{person}@example.com", homes=[DEFAULT_TENANT])
    if terminal.link is None:
        return ""  # without a mailbox, nobody signs in
    sign_ins.confirm(tx, terminal.link.token)
    session = sign_ins.poll_terminal(tx, terminal.device_secret)
    return "" if session is None else session.token
