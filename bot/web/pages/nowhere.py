"""What people see at an address that is not there: the same page, with the way on that they have."""

from fastapi import Request, Response

from bot.web import problems
from bot.web.pages.showing import show_problem
from bot.web.pages.viewers import viewer_if_known


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses; whoever is signed in keeps their navigation."""
    problem = problems.of_framework(request, error)
    if not problems.wants_page(request):
        return problems.answer(request, problem)
    viewer = await viewer_if_known(request)
    following = None if viewer is None else {"url": "/approvals", "label": "Open the inbox"}
    return show_problem(request, problem, viewer, following)
