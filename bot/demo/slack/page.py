"""The workspace as a web page: choose who you are, read, press, fill modals, type commands."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.demo.pages import Nav, back_to, is_foreign, page, refused
from bot.demo.slack.house import SlackUser
from bot.demo.slack.inputs import Typed, initial, options_of
from bot.demo.slack.interactions import NothingThere, People
from bot.demo.slack.messages import Conversation, Message
from bot.demo.slack.mrkdwn import Html, Reader, mrkdwn, plain
from bot.demo.slack.views import View
from bot.demo.slack.workspace import Workspace
from bot.demo.trees import Record, record, text

HOME: Final = "home"


class SlackPage:
    """Shows the workspace to one of its people at a time, and lets the visitor act for them."""

    def __init__(self, space: Workspace, people: People, nav: Nav) -> None:
        self._space = space
        self._people = people
        self._nav = nav
        self._deeds: dict[str, Callable[[str, FormData], Awaitable[object]]] = {
            "press": self._press,
            "view": self._press_in_view,
            "submit": self._submit,
            "dismiss": self._dismiss,
            "say": self._say,
            "home": self._open_home,
        }
        self.routes = [
            Route("/", self._show),
            Route("/changes", space.changes.stream),
            Route("/act/{deed}", self._act, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        me = self._me(request.query_params.get("as", ""))
        places = self._places(me)
        here = request.query_params.get("in", "")
        place = next((place for place in places if place.id == here), places[0])
        reader = Reader(now=self._space.clock.now(), timezone=me.timezone, names=self._names())
        context: dict[str, object] = {
            "title": "Slack",
            "me": me,
            "people": [user for user in self._space.users.values() if not user.deleted],
            "places": places,
            "place": None if here == HOME else place,
            "here": here if here == HOME else place.id,
            "messages": list(place.seen_by(me.id)),
            "author": self._author,
            "at": partial(_at, reader),
            "modal": self._space.views.top(me.id),
            "home": self._space.views.home(me.id),
            "notice": self._space.notices.get(me.id, ""),
            "commands": self._space.house.commands,
            "bot_name": self._space.house.bot_name,
            "words": partial(_words, reader),
            "options_of": options_of,
            "typed": _typed,
        }
        return page(request, "slack/page.html", self._nav, context)

    async def _act(self, request: Request) -> Response:
        if is_foreign(request):
            return refused()
        form = await request.form()
        me = self._me(str(form.get("as", "")))
        self._space.notices.pop(me.id, None)
        deed = self._deeds.get(request.path_params["deed"])
        try:
            if deed is not None:
                await deed(me.id, form)
        except NothingThere as gone:
            self._space.notices[me.id] = str(gone)
        return back_to(request, f"/?as={me.id}&in={form.get('in', '')}")

    async def _press(self, me: str, form: FormData) -> object:
        place = self._space.conversations.get(str(form.get("in", "")))
        found = place.seen_by(me) if place else ()
        message = next((item for item in found if item.ts == form.get("ts")), None)
        if message is None:
            raise NothingThere("That message is gone.")
        element = str(form.get("element", ""))
        return await self._people.press(me, message, element, chosen=_chosen(form, "chosen"))

    async def _press_in_view(self, me: str, form: FormData) -> object:
        if view := self._space.views.top(me):
            self._people.fill(view, _fields(form))
        element = str(form.get("element", ""))
        return await self._people.press_in_view(me, element, chosen=_chosen(form, "chosen"))

    async def _submit(self, me: str, form: FormData) -> object:
        return await self._people.submit(me, _fields(form))

    async def _dismiss(self, me: str, form: FormData) -> object:
        return await self._people.dismiss(me)

    async def _open_home(self, me: str, form: FormData) -> object:
        return await self._people.open_home(me)

    async def _say(self, me: str, form: FormData) -> object:
        channel, words = str(form.get("in", "")), str(form.get("text", "")).strip()
        if words.startswith("/"):
            return await self._people.command(me, words, channel=channel)
        return self._people.say(me, channel, words) if words else None

    def _me(self, user_id: str) -> SlackUser:
        return self._space.users.get(user_id) or next(iter(self._space.users.values()))

    def _places(self, me: SlackUser) -> list[Conversation]:
        self._space.direct(me.id)
        return [place for place in self._space.conversations.values() if place.holds(me.id)]

    def _names(self) -> dict[str, str]:
        people = {user.id: user.shown for user in self._space.users.values()}
        places = {place.id: place.name for place in self._space.conversations.values()}
        return {**people, **places, self._space.house.bot_user: self._space.house.bot_name}

    def _author(self, message: Message) -> str:
        return self._names().get(message.author, message.author)


def _at(reader: Reader, message: Message) -> Html:
    unix = message.ts.partition(".")[0]
    return mrkdwn(f"<!date^{unix}^{{time}}|{unix}>", reader)


def _words(reader: Reader, given: object) -> Html:
    words = record(given)
    if words.get("type") == "mrkdwn":
        return mrkdwn(text(words, "text"), reader, verbatim=words.get("verbatim") is True)
    return plain(text(words, "text"), emoji=words.get("emoji") is not False)


def _typed(view: View, block: Record, element: Record) -> Typed:
    return view.typed.get(text(block, "block_id"), initial(element))


def _fields(form: FormData) -> dict[str, Typed]:
    names = [str(name) for name in form.getlist("field")]
    return {name: _chosen(form, f"value:{name}") for name in names}


def _chosen(form: FormData, name: str) -> Typed:
    values = [str(value) for value in form.getlist(name)]
    return values[0] if len(values) == 1 else values or None
