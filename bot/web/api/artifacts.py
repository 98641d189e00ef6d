"""Artifacts: immutable bytes under their own hash."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from bot.web.callers import Reader, Scoped
from bot.web.description import refusals
from bot.web.reading import StrictRoute
from engine.services import artifacts

router = APIRouter(prefix="/api/artifacts", tags=["runs"], route_class=StrictRoute)

Address = Annotated[str, Path(pattern=r"^sha256:[0-9a-f]{64}$")]


@router.get(
    "/{address}",
    summary="Download an artifact",
    response_class=Response,
    responses={
        200: {"description": "The bytes, whatever they are.", "content": {"*/*": {"schema": {}}}},
        **refusals(404),
    },
)
async def artifact(_caller: Reader, application: Scoped, address: Address) -> Response:
    """The bytes that a checkpoint or a receipt names, as a download: a browser never renders them."""
    found = await application.database.read(
        lambda tx: artifacts.get(tx, application.tenant, address)
    )
    name = found.hash.removeprefix("sha256:")
    return Response(
        found.content,
        media_type=found.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
