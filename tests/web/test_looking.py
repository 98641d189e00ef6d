"""Whoever only looks changes nothing: every address that answers GET or HEAD, and the checksum of every table."""

import re
from collections.abc import Mapping

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from bot.chaos.checker.book import Book
from bot.chaos.checker.comparing import only_looking
from bot.chaos.checker.pages import opened_book
from engine.store.sqlite import SqliteDatabase
from tests.web.site import Browser, Site

pytestmark = pytest.mark.anyio

# Events go on for as long as somebody listens; whether a database takes writes is found out by writing.
LEFT_OUT = ("/events", "/readyz")
LOOKING = frozenset({"GET", "HEAD"})


def looked_at(app: FastAPI, named: Mapping[str, str]) -> set[tuple[str, str]]:
    """Every method and address by which somebody looks, with what is `named` behind its words."""

    def filled(place: re.Match[str]) -> str:
        return f"/{place[1]}/{named.get(place[1], 'x1')}"

    return {
        (method, re.sub(r"/([\w-]+)/\{[^}]+\}", filled, context.path))
        for context in iter_route_contexts(app.routes)
        if context.path is not None and not context.path.endswith(LEFT_OUT)
        for method in LOOKING & set(context.methods or ())
    }


async def test_looking_changes_no_row(site: Site, database: SqliteDatabase, dana: Browser) -> None:
    row = await site.asked()
    named = {"approvals": row.id, "runs": row.run, "respond": await site.link(row)}
    addresses = sorted(looked_at(site.app, named))

    async def read() -> Book:
        return opened_book(database.path)

    async with only_looking(read) as moved:
        answers = {
            address: (await dana.client.request(*address, headers=dana.headers)).status_code
            for address in addresses
        }

    assert moved == []
    assert sum(status == 200 for status in answers.values()) > 30, answers
    assert not [status for status in answers.values() if status >= 500]
