"""What a request finds in the app that answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from fastapi import Depends
from jinja2 import Environment
from starlette.requests import HTTPConnection, Request

from bot.application import VERSION, Application
from bot.web.health import ChannelHealth, StoreHealth
from bot.web.places import place_of
from bot.web.rates import Buckets
from bot.web.rendering import environment
from bot.web.run_measures import RunMeasures
from bot.web.streams import Streams
from bot.web.traffic import Traffic
from bot.web.waiting import WaitingRoom
from engine.ids import TenantId

TEMPLATES: Final = Path(__file__).parents[2] / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the doors share beside the application. Both buckets go by the sender's address.

    `bad_tries` are wrong keys, sessions, tokens and links; `asked_links` are sign-ins asked for.
    """

    pages: Environment
    traffic: Traffic
    measures: RunMeasures
    health: ChannelHealth
    store: StoreHealth
    bad_tries: Buckets
    asked_links: Buckets
    waiting: WaitingRoom
    streams: Streams
    by_tenant: Callable[[TenantId], Application]  # as each tenant has it, put together once


def shared(application: Application) -> Shared:
    """A fresh one."""
    minute = timedelta(minutes=1)
    return Shared(
        pages=environment(TEMPLATES),
        traffic=Traffic(VERSION),
        measures=RunMeasures(application.database, application.clock),
        health=ChannelHealth(application.channels, application.clock),
        store=StoreHealth(application.database),
        bad_tries=Buckets(application.clock, tries=10, per=minute),
        asked_links=Buckets(application.clock, tries=10, per=minute),
        waiting=WaitingRoom(),
        streams=Streams(application.database),
        by_tenant=lru_cache(maxsize=256)(application.of),
    )


def application_of(request: HTTPConnection) -> Application:
    """The application behind the app that was called."""
    found: Application = request.app.state.application
    return found


def shared_of(request: HTTPConnection) -> Shared:
    """What the doors of the app that was called share."""
    found: Shared = request.app.state.shared
    return found


def note_bad_try(request: HTTPConnection) -> None:
    """Count a wrong key, token or link against the place it came from.

    Raises:
        TooManyTries: after ten within a minute; those who send what is right never wait.
    """
    shared_of(request).bad_tries.spend(place_of(request, application_of(request).trusted_proxies))


async def _served(request: Request) -> Application:
    # FastAPI runs whatever is not a coroutine in a thread of its own.
    return application_of(request)


Served = Annotated[Application, Depends(_served)]
