"""However often a link is looked at, nothing changes; afterwards its person still decides."""

import hashlib
from itertools import product

import pytest
from httpx import Response
from sqlalchemy import inspect, select

from engine.store.database import Database, Transaction
from engine.store.tables import metadata
from tests.web.scanners import AGENTS, FETCHES
from tests.web.site import HTML, Site

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def checksums(tx: Transaction) -> dict[str, str]:
    """Every table in the file, and the hash of all its rows."""
    names = inspect(tx.connection).get_table_names()
    assert {*metadata.tables} <= {*names}
    return {
        name: hashlib.sha256(
            repr(sorted(map(repr, tx.connection.execute(select(table)).all()))).encode()
        ).hexdigest()
        for name, table in metadata.tables.items()
    }


async def state(database: Database) -> dict[str, str]:
    return await database.read(checksums)


async def fetch(site: Site, path: str, agent: str, method: str, **headers: str) -> Response:
    said = {**HTML, "user-agent": agent, **headers}
    return await site.stranger.client.request(method, path, headers=said)


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(set(AGENTS)) >= 40


async def test_no_scanner_changes_a_row(site: Site) -> None:
    row = await site.asked()
    token = await site.link(row)
    before = await state(site.application.database)

    for agent, (method, headers) in product(AGENTS, FETCHES):
        path = f"/respond/{token}?choice=approve"
        answer = await fetch(site, path, agent, method, **headers)
        assert answer.status_code in {200, 204}

    assert await state(site.application.database) == before


async def test_after_a_hundred_looks_the_person_still_decides(site: Site) -> None:
    row = await site.asked(quorum=1)
    path = f"/respond/{await site.link(row)}"
    shown = await site.stranger.get(f"{path}?choice=approve")
    for number in range(100):
        await fetch(site, path, AGENTS[number % len(AGENTS)], "GET")

    answer = await site.stranger.submit(shown, path, choice="approve")

    assert "Approved: 1 of 1 approval." in answer.text


@pytest.mark.parametrize("agent", AGENTS[1:4])
async def test_a_scanner_that_follows_every_link_changes_nothing(site: Site, agent: str) -> None:
    row = await site.asked()
    token = await site.link(row)
    shown = await fetch(site, f"/respond/{token}", agent, "GET")
    before = await state(site.application.database)

    for path in {part.split('"')[0] for part in shown.text.split('href="/')[1:]}:
        await fetch(site, f"/{path.replace('&amp;', '&')}", agent, "GET")

    assert await state(site.application.database) == before


async def test_a_scanner_that_posts_what_it_was_shown_is_refused(site: Site) -> None:
    row = await site.asked()
    path = f"/respond/{await site.link(row)}"
    await site.stranger.get(path)
    before = await state(site.application.database)

    for data in ({}, {"choice": "approve"}, {"choice": "approve", "digest": row.digest}):
        answer = await site.stranger.client.post(path, data=data, headers=HTML)
        assert answer.status_code in {403, 422}

    assert await state(site.application.database) == before


async def test_a_guess_is_answered_without_a_question_to_the_store(site: Site) -> None:
    real = f"/respond/{await site.link(await site.asked())}"

    for path, (method, headers) in product(("/respond/nothing", real), FETCHES):
        answer = await fetch(site, path, "x", method, **headers)
        is_read = method == "GET" and not {"sec-purpose", "purpose", "x-moz", "x-purpose"} & {
            *headers
        }
        if not is_read:
            assert (answer.status_code, answer.content) == (204, b"")
