"""The demo's first page: what waits, what to try, and what was really done so far."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.demo.browser import Browser
from bot.demo.changes import Changes
from bot.demo.mail.mailbox import Mailbox
from bot.demo.pages import STATIC, Nav, is_foreign, page, refused
from bot.demo.people import ANA, BO, CHEN, DANA, ELI, Somebody
from bot.demo.scene import Asked, Scene
from signoff.answers import Approval
from signoff.errors import SignoffError

HAND_OVER: Final = (ANA, BO, CHEN, DANA, ELI)
MAILED_WITHIN: Final = timedelta(seconds=5)

_UNUSED: Final = 200  # what a sign-in link answers as long as it works


@dataclass(slots=True, kw_only=True)
class FirstPage:
    """Shows `scene` once there is one. `changes` makes open pages look again."""

    changes: Changes = field(default_factory=Changes)
    scene: Scene | None = None

    def routes(self, nav: Nav) -> list[BaseRoute]:
        """Its addresses, with the pages' shared files."""

        async def show(request: Request) -> Response:
            return await self._show(request, nav)

        async def sign_in(request: Request) -> Response:
            return await self._sign_in(request, nav)

        return [
            Route("/", show),
            Route("/changes", self.changes.stream),
            Route("/sign-in/{person}", sign_in, methods=["GET", "POST"]),
            STATIC,
        ]

    async def _show(self, request: Request, nav: Nav) -> Response:
        scene = self.scene
        context: dict[str, object] = {"title": "Start", "people": HAND_OVER, "scene": scene}
        if scene is not None:
            context["states"] = await _states(scene)
            context["done"] = scene.stage.done
            context["bot"] = scene.stage.bot.url
        context["late"] = request.query_params.get("late", "")
        return page(request, "first.html", nav, context)

    async def _sign_in(self, request: Request, nav: Nav) -> Response:
        if is_foreign(request):
            return refused()
        wanted = request.path_params["person"]
        person = next((one for one in HAND_OVER if one.id == wanted), None)
        if self.scene is None or person is None or request.method != "POST":
            return RedirectResponse("/", status_code=303)
        link = await sign_in_link(self.scene, person)
        if link is None:
            return RedirectResponse(f"/?late={person.id}", status_code=303)
        context: dict[str, object] = {"title": "Sign in", "person": person, "link": link}
        answer = page(request, "hand_over.html", nav, context)
        # Not a redirect: what a form leads to has to stay on the page's own site.
        answer.headers["Refresh"] = f"0; url={link}"
        return answer


async def sign_in_link(scene: Scene, person: Somebody) -> str | None:
    """A link that signs `person` in, asked for and read in their mailbox as they would themselves.

    One that was not used yet is used first. None if none comes: there are five an hour.
    """
    mailbox = scene.world.mail.mailbox
    async with Browser() as browser:
        last = _newest(mailbox, person)
        if last and (await browser.open(last)).status == _UNUSED:
            return last
        form = await browser.open(f"{scene.stage.bot.url}/sign-in")
        await browser.submit(form, {"email": person.email})

    def newer() -> str | None:
        found = _newest(mailbox, person)
        return None if found == last else found

    try:
        return await mailbox.changes.until(newer, patience=MAILED_WITHIN)
    except TimeoutError:
        return None


def _newest(mailbox: Mailbox, person: Somebody) -> str | None:
    links = [
        link
        for mail in mailbox.messages(person.email)
        for link in mail.links()
        if "/sign-in/" in link
    ]
    return links[-1] if links else None


async def _states(scene: Scene) -> Mapping[str, Approval]:
    async def state(asked: Asked) -> Approval | None:
        try:
            return await scene.api.approval(asked.approval)
        except SignoffError:
            return None

    async with asyncio.TaskGroup() as group:
        asking = {asked.approval: group.create_task(state(asked)) for asked in scene.all}
    found = {approval: task.result() for approval, task in asking.items()}
    return {approval: seen for approval, seen in found.items() if seen is not None}
