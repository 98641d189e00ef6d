"""No door stands open by mistake: every route is tried without credentials."""

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.api.desk import Desk

pytestmark = pytest.mark.anyio

# What strangers may call: (method, path) -> why.
PUBLIC = {
    ("GET", "/healthz"): "whether the process answers",
    ("GET", "/readyz"): "whether it takes requests, no more",
    ("GET", "/metrics"): "only from this machine, which the tests are",
    ("GET", "/docs"): "the description",
    ("GET", "/openapi.json"): "the description",
    ("HEAD", "/openapi.json"): "the description",
    ("POST", "/api/sign-ins"): "nobody is signed in before",
    ("POST", "/api/sign-ins/poll"): "nobody is signed in before",
    ("GET", "/sign-in"): "nobody is signed in before",
    ("POST", "/sign-in"): "nobody is signed in before",
    ("GET", "/.well-known/signoff-permits"): "public keys",
    ("HEAD", "/sign-in/{token}"): "scanners of mail",
    ("OPTIONS", "/sign-in/{token}"): "scanners of mail",
    ("HEAD", "/respond/{token}"): "scanners of mail",
    ("OPTIONS", "/respond/{token}"): "scanners of mail",
}
CLOSED = {303, 401, 403, 404}


async def test_every_other_route_is_closed_to_strangers(app: FastAPI, desk: Desk) -> None:
    answers = {
        (method, path): (await desk.stranger.request(method, filled(path), json={})).status_code
        for method, path in sorted(routes(app) - PUBLIC.keys())
    }

    assert {door: status for door, status in answers.items() if status not in CLOSED} == {}


async def test_a_page_that_is_closed_leads_to_signing_in(app: FastAPI, desk: Desk) -> None:
    pages = [path for method, path in sorted(routes(app)) if method == "GET" and is_page(path)]
    answers = {path: await desk.stranger.get(filled(path)) for path in pages}
    leads = {
        path: response.headers["location"]
        for path, response in answers.items()
        if response.status_code == 303
    }

    assert len(leads) > 3
    assert {where.partition("?")[0] for where in leads.values()} == {"/sign-in"}


async def test_every_public_door_is_there(app: FastAPI) -> None:
    assert PUBLIC.keys() - routes(app) == set()


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """Every method and path, but for the files of the pages."""
    return {
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        if context.path is not None and context.path != "/static"
        for method in context.methods or ()
    }


def filled(path: str) -> str:
    """The path with something in every place that wants something."""
    return re.sub(r"\{\w+\}", "x1", path.replace("{address}", f"sha256:{'0' * 64}"))


def is_page(path: str) -> bool:
    return not path.startswith(("/api/", "/sign-in", "/respond"))
