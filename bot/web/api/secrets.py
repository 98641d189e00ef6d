"""The server's secrets, for whoever runs it: what still needs an older one, and people's keys wrapped anew."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse

from bot.web.api.changed_shapes import Answer
from bot.web.api.tenants import Landlord
from bot.web.callers import Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.clock import iso
from engine.services import rotating
from engine.services.rotating import Standing

router = APIRouter(prefix="/api/secret", tags=["keys"], route_class=StrictRoute)


class PeopleKeys(Answer):
    """By which secrets the keys are wrapped under which people's words are sealed."""

    first: int
    older: int
    unreadable: int = Field(description="Wrapped by a secret that this server does not have.")


class SecretStanding(Answer):
    """What still needs a secret other than the first; never a secret itself."""

    since: datetime | None = Field(description="Since when the present one comes first.")
    accepted: int = Field(description="How many older ones still hold.")
    needed: bool = Field(description="Whether something would be lost without them.")
    people_keys: PeopleKeys
    api_keys: list[str] = Field(description="Made before, and not used since.")
    sessions: int = Field(description="Begun before, and still open.")
    runs: int = Field(
        description="Begun before and not ended; links and callbacks are sent for them."
    )


@router.get(
    "", summary="Read what older secrets are needed for", response_model=SecretStanding,
    responses=refusals(),
)  # fmt: skip
async def status(_caller: Landlord, application: Scoped) -> JSONResponse:
    """What was made under an older secret of the server and still lives, of all tenants."""
    return JSONResponse(_shown(await rotating.standing(application.database)))


@router.post(
    "/reseal", summary="Wrap people's keys anew", response_model=SecretStanding,
    responses=refusals(413, 415),
)  # fmt: skip
async def reseal(_caller: Landlord, application: Scoped) -> JSONResponse:
    """Wrap every key of people's own by the first secret, as each start does, too; and read again."""
    await rotating.wrap_anew(application.database)
    return JSONResponse(_shown(await rotating.standing(application.database)))


def _shown(found: Standing) -> dict[str, object]:
    wrapped, before = found.wrapped, found.made_before
    return {
        "since": None if found.since is None else iso(found.since),
        "accepted": found.accepted,
        "needed": found.is_needed,
        "people_keys": {
            "first": wrapped.first,
            "older": wrapped.older,
            "unreadable": wrapped.unreadable,
        },
        "api_keys": list(before.keys),
        "sessions": before.sessions,
        "runs": before.runs,
    }
