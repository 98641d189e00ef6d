"""Inputs of a window: Slack's limits for each kind at their edges, and a page on which each can be used."""

from typing import Any

import httpx
import pytest

from bot.demo.slack.blocks import Surface, view_problems
from bot.demo.slack.inputs import Typed, complaint
from bot.demo.trees import Record, record
from bot.demo.world import World
from tests.demo.conftest import App
from tests.demo.test_slack_blocks import Json, modal, plain
from tests.demo.test_world import HERE, browser, outside, slack_client

__all__ = ["browser", "outside"]

SUBMITTED = {"as": "U0BO", "in": HERE}


def options(count: int, *, chars: int = 1) -> list[Json]:
    return [{"text": plain("x" * chars), "value": str(n)} for n in range(count)]


def of(type: str, **more: object) -> Json:
    return {"type": type, "action_id": "put", **more}


def asking(element: Json, **more: object) -> Json:
    block = {"type": "input", "block_id": "asked", "label": plain("Asked"), "element": element}
    return modal(blocks=[{**block, **more}])


NUMBER: dict[str, Any] = {"is_decimal_allowed": False}
NOTE = of("plain_text_input")


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        (asking(NOTE, label=plain("x" * 2001)), "/label/text"),
        (asking(NOTE, hint=plain("x" * 2001)), "/hint/text"),
        (asking(NOTE, optional="yes"), "/optional"),
        (asking(of("radio_buttons", options=options(11))), "/element/options"),
        (asking(of("checkboxes", options=options(11))), "/element/options"),
        (asking(of("checkboxes", options=[], initial_options=[])), "/element/options"),
        (asking(of("static_select", options=options(101))), "/element/options"),
        (asking(of("multi_static_select", options=options(101))), "/element/options"),
        (asking(of("static_select", options=options(1, chars=76))), "/element/options/0/text/text"),
        (
            asking(of("radio_buttons", options=[{"text": plain("x"), "value": "v" * 151}])),
            "/element/options/0/value",
        ),
        (
            asking(of("radio_buttons", options=options(1), initial_option=options(2)[1])),
            "/element/initial_option",
        ),
        (asking(of("number_input")), "/element"),
        (asking(of("number_input", min_value=1, **NUMBER)), "/element/min_value"),
        (asking(of("number_input", max_value="1e3", **NUMBER)), "/element/max_value"),
        (asking(of("number_input", min_value="2", max_value="1", **NUMBER)), "/element"),
        (asking(of("number_input", initial_value="2", max_value="1", **NUMBER)), "/element"),
        (asking(of("number_input", initial_value="0.5", **NUMBER)), "/element"),
        (asking(of("datepicker", initial_date="22.11.2026")), "/element/initial_date"),
        (asking(of("datepicker", initial_date="2026-02-30")), "/element/initial_date"),
        (asking(of("plain_text_input", min_length=5, max_length=4)), "/element/min_length"),
    ],
)
def test_an_input_beyond_its_limits_is_pointed_at(view: Json, pointer: str) -> None:
    problems = view_problems(view, Surface.MODAL)

    assert f"/view/blocks/0{pointer}" in [problem.pointer for problem in problems]


@pytest.mark.parametrize(
    "element",
    [
        of("radio_buttons", options=options(10), initial_option=options(1)[0]),
        of("checkboxes", options=options(10, chars=75), initial_options=options(2, chars=75)),
        of("static_select", options=options(100)),
        of("multi_static_select", options=options(100), max_selected_items=2),
        of("number_input", min_value="-2", initial_value="0", max_value="12", **NUMBER),
        of("number_input", is_decimal_allowed=True, min_value="0.5", initial_value="0.5"),
        of("datepicker", initial_date="2028-02-29"),
    ],
)
def test_an_input_at_its_limits_is_shown(element: Json) -> None:
    view = asking(element, label=plain("x" * 2000), hint=plain("x" * 2000), optional=True)

    assert view_problems(view, Surface.MODAL) == []


@pytest.mark.parametrize(
    ("element", "typed", "words"),
    [
        (of("checkboxes", options=options(2)), [], "Please complete this required field."),
        (of("checkboxes", options=options(2)), "2", "Please choose one of the options."),
        (of("static_select", options=options(2)), "2", "Please choose one of the options."),
        (
            of("multi_static_select", options=options(3), max_selected_items=1),
            ["0", "1"],
            "Please choose no more than 1 options.",
        ),
        (of("datepicker"), "tomorrow", "Please enter a valid date."),
    ],
)
def test_the_client_holds_back_what_cannot_be(element: Record, typed: Typed, words: str) -> None:
    assert complaint({"type": "input"}, element, typed) == words


@pytest.mark.anyio
async def test_one_box_that_is_ticked_on_the_page_is_one_that_is_chosen(
    browser: httpx.AsyncClient, outside: World, app: App
) -> None:
    await browser.post("/slack/act/say", data={**SUBMITTED, "text": "/approvals new"})
    view = asking(of("checkboxes", options=options(2), initial_options=options(2)[1:]))
    await slack_client(outside).views_open(trigger_id=app.form["trigger_id"], view=view)

    shown = await browser.get("/slack/", params=SUBMITTED)
    await browser.post(
        "/slack/act/submit", data={**SUBMITTED, "field": "asked", "value:asked": "0"}
    )

    values = record(record(record(app.payload["view"])["state"])["values"])
    chosen = record(record(values["asked"])["put"])["selected_options"]
    assert shown.text.count(" checked>") == 1
    assert chosen == options(1)
