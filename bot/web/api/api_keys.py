"""API keys, made and revoked by operators."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.web.api import operating
from bot.web.api.paging import Id
from bot.web.callers import Operator, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.clock import iso
from engine.ids import KeyId, PersonId
from engine.services import keys
from engine.services.keys import KeyRow, NewKey, Scope

router = APIRouter(prefix="/api/keys", tags=["keys"], route_class=StrictRoute)


class KeyBody(BaseModel):
    """A key that is wanted."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(examples=["agent"])]
    scopes: Annotated[
        list[Annotated[str, Field(json_schema_extra={"enum": [str(scope) for scope in Scope]})]],
        Field(examples=[["runs:start", "read"]], max_length=20),
    ]
    owner: Annotated[
        str | None,
        Field(
            description="Who answers for it: whoever makes it, unless another is named. Neither of them ever "
            "counts for what it asks."
        ),
    ] = None
    expires_at: Annotated[AwareDatetime | None, Field(description="In 90 days unless said.")] = None


@router.post(
    "",
    summary="Make a key",
    status_code=201,
    response_model=operating.NewKey,
    responses=refusals(413, 415),
)
async def create(caller: Operator, application: Scoped, body: KeyBody) -> JSONResponse:
    """Make a key. `key` is shown in this answer and never again."""
    # Else whoever makes a key that nobody answers for could approve what they asked with it.
    owner = caller.owner if body.owner is None else PersonId(body.owner.removeprefix("person:"))
    # Nor could they by naming somebody else.
    new = NewKey(
        name=body.name,
        scopes=body.scopes,
        owner=owner,
        expires_at=body.expires_at,
        makers=caller.behind,
    )
    row, presented = await application.database.write(
        lambda tx: keys.create(tx, caller.tenant, new, by=caller.subject)
    )
    return JSONResponse({**_shown(row), "key": presented}, 201)


@router.get("", summary="List the keys", response_model=operating.KeyList, responses=refusals())
async def listing(caller: Operator, application: Scoped) -> JSONResponse:
    """Every key, revoked ones included, newest first."""
    found = await application.database.read(lambda tx: keys.listing(tx, caller.tenant))
    return JSONResponse({"keys": [_shown(row) for row in found]})


@router.delete("/{id}", summary="End a key", response_model=operating.Key, responses=refusals(404))
async def revoke(caller: Operator, application: Scoped, id: Id) -> JSONResponse:
    """End a key at once. Revoking it again changes nothing."""
    row = await application.database.write(
        lambda tx: keys.revoke(tx, caller.tenant, KeyId(id), by=caller.subject)
    )
    return JSONResponse(_shown(row))


def _shown(row: KeyRow) -> dict[str, Any]:
    moments = {
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
    }
    said = {name: None if at is None else iso(at) for name, at in moments.items()}
    return {
        "id": row.id,
        "name": row.name,
        "scopes": sorted(row.scopes),
        "owner": row.owner,
        "made_by": sorted(row.made_by),
        **said,
    }
