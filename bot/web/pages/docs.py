"""The HTTP API's description as a page, for everybody."""

from fastapi import APIRouter, Request, Response

from bot.web.pages.showing import Look, PageRoute, show
from bot.web.pages.viewers import viewer_if_known

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The description, with the navigation of whoever is signed in."""
    look = Look(viewer=await viewer_if_known(request), here="docs")
    return show(request, "web/docs.html", look)
