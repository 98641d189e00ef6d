"""The API's description says of every route, in a phrase of its own, what it does."""

import pytest

from bot.web.app import create_app
from tests.web.site import Site

pytestmark = pytest.mark.anyio


async def test_every_route_is_summed_up_in_words_and_no_two_alike(site: Site) -> None:
    paths = create_app(site.application).openapi()["paths"]
    summaries = [
        operation["summary"] for operations in paths.values() for operation in operations.values()
    ]

    assert len(set(summaries)) == len(summaries) > 20
    assert [said for said in summaries if " " not in said or said == said.title()] == []
    assert [said for said in summaries if len(said) > 50 or said.endswith(".")] == []
