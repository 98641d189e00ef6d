"""Block Kit: each documented limit holds at its edge, and the answer points at the place."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack.blocks import Surface, block_problems, view_problems

Json = dict[str, object]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(**changes: object) -> Json:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **changes}


def actions(*elements: Json, **more: object) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def menu(count: int) -> Json:
    options = [{"text": plain("one"), "value": str(number)} for number in range(count)]
    return actions({"type": "static_select", "action_id": "m", "options": options})


def asking(**changes: object) -> Json:
    element = {"type": "plain_text_input", "action_id": "why", **changes}
    return {"type": "input", "block_id": "why", "label": plain("Why"), "element": element}


def several(count: int) -> list[Json]:
    return [{"type": "divider"} for _ in range(count)]


AT_THE_EDGE = [
    pytest.param([{"type": "section", "text": mrkdwn("x" * 3000)}], id="section text"),
    pytest.param([{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}], id="fields"),
    pytest.param([{"type": "header", "text": plain("x" * 150)}], id="header"),
    pytest.param([{"type": "context", "elements": [mrkdwn("x")] * 10}], id="context"),
    pytest.param([actions(button(text=plain("x" * 75), value="v" * 2000))], id="button"),
    pytest.param([actions(button(action_id="a" * 255), block_id="b" * 255)], id="ids"),
    pytest.param([menu(100)], id="options"),
    pytest.param(several(50), id="blocks"),
    pytest.param([actions(button()), actions(button())], id="one action id in two blocks"),
]


@pytest.mark.parametrize("blocks", AT_THE_EDGE)
def test_what_is_at_the_limit_is_shown(blocks: list[Json]) -> None:
    assert block_problems(blocks, Surface.MESSAGE) == []


BEYOND = [
    pytest.param([{"type": "section", "text": mrkdwn("")}], "/blocks/0/text/text", id="empty"),
    pytest.param(
        [{"type": "section", "text": mrkdwn("x" * 3001)}], "/blocks/0/text/text", id="section text"
    ),
    pytest.param([{"type": "section"}], "/blocks/0", id="section without words"),
    pytest.param(
        [{"type": "section", "fields": [mrkdwn("x")] * 11}], "/blocks/0/fields", id="fields"
    ),
    pytest.param(
        [{"type": "section", "fields": [mrkdwn("x" * 2001)]}],
        "/blocks/0/fields/0/text",
        id="field text",
    ),
    pytest.param(
        [{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text", id="header"
    ),
    pytest.param(
        [{"type": "header", "text": mrkdwn("x")}], "/blocks/0/text/type", id="header kind"
    ),
    pytest.param(
        [{"type": "context", "elements": [mrkdwn("x")] * 11}], "/blocks/0/elements", id="context"
    ),
    pytest.param(
        [actions(*(button(action_id=str(n)) for n in range(26)))],
        "/blocks/0/elements",
        id="buttons",
    ),
    pytest.param(
        [actions(button(text=plain("x" * 76)))], "/blocks/0/elements/0/text/text", id="button text"
    ),
    pytest.param(
        [actions(button(text=mrkdwn("x")))], "/blocks/0/elements/0/text/type", id="button mrkdwn"
    ),
    pytest.param(
        [actions(button(value="v" * 2001))], "/blocks/0/elements/0/value", id="button value"
    ),
    pytest.param([actions(button(style="default"))], "/blocks/0/elements/0/style", id="style"),
    pytest.param([actions(button(url="javascript:x"))], "/blocks/0/elements/0/url", id="url"),
    pytest.param([actions(button(colour="red"))], "/blocks/0/elements/0", id="unknown property"),
    pytest.param(
        [actions(button(action_id="a" * 256))], "/blocks/0/elements/0/action_id", id="action id"
    ),
    pytest.param([actions(button(), button())], "/blocks/0/elements", id="action id twice"),
    pytest.param([actions(button(), block_id="b" * 256)], "/blocks/0/block_id", id="block id"),
    pytest.param(
        [actions(button(), block_id="b"), actions(button(), block_id="b")],
        "/blocks/1/block_id",
        id="block id twice",
    ),
    pytest.param([menu(101)], "/blocks/0/elements/0/options", id="options"),
    pytest.param([menu(0)], "/blocks/0/elements/0/options", id="no options"),
    pytest.param([{"type": "carousel"}], "/blocks/0/type", id="unknown block"),
    pytest.param([actions({"type": "plain_text_input"})], "/blocks/0/elements/0/type", id="input"),
    pytest.param(several(51), "/blocks", id="blocks"),
    pytest.param(["text"], "/blocks/0", id="not an object"),
]


@pytest.mark.parametrize(("blocks", "pointer"), BEYOND)
def test_what_is_beyond_the_limit_is_pointed_at(blocks: list[object], pointer: str) -> None:
    problems = block_problems(blocks, Surface.MESSAGE)

    assert [problem.pointer for problem in problems] == [pointer]


def modal(**changes: object) -> Json:
    view = {"type": "modal", "title": plain("Title"), "blocks": [asking()], "submit": plain("Go")}
    return {**view, **changes}


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        pytest.param(modal(title=plain("x" * 25)), "/view/title/text", id="title"),
        pytest.param(modal(submit=plain("x" * 25)), "/view/submit/text", id="submit"),
        pytest.param(modal(close=plain("x" * 25)), "/view/close/text", id="close"),
        pytest.param(modal(private_metadata="x" * 3001), "/view/private_metadata", id="metadata"),
        pytest.param(modal(callback_id="x" * 256), "/view/callback_id", id="callback id"),
        pytest.param(modal(blocks=several(101)), "/view/blocks", id="blocks"),
        pytest.param(
            modal(blocks=[asking(max_length=3001)]),
            "/view/blocks/0/element/max_length",
            id="max_length",
        ),
        pytest.param(
            {"type": "modal", "title": plain("x"), "blocks": [asking()]}, "/view", id="no submit"
        ),
        pytest.param({"type": "home", "blocks": []}, "/view/type", id="a home tab is no modal"),
    ],
)
def test_a_modal_beyond_its_limits_is_pointed_at(view: Json, pointer: str) -> None:
    problems = view_problems(view, Surface.MODAL)

    assert [problem.pointer for problem in problems] == [pointer]


def test_a_modal_at_its_limits_is_shown() -> None:
    view = modal(title=plain("x" * 24), private_metadata="x" * 3000, blocks=several(100))

    assert view_problems(view, Surface.MODAL) == []


def test_some_blocks_stand_on_one_surface_only() -> None:
    markdown = [{"type": "markdown", "text": "*x*"}]
    alert = [{"type": "alert", "text": plain("x")}]

    assert block_problems(markdown, Surface.MESSAGE) == []
    assert block_problems(markdown, Surface.MODAL) != []
    assert block_problems(alert, Surface.MODAL) == []
    assert block_problems(alert, Surface.MESSAGE) != []


@pytest.mark.anyio
async def test_the_api_answers_with_pointers(client: AsyncWebClient) -> None:
    blocks = [{"type": "section", "text": mrkdwn("")}]

    with pytest.raises(SlackApiError) as raised:
        await client.chat_postMessage(channel="C0APPROVALS", text="x", blocks=blocks)

    assert raised.value.response["error"] == "invalid_blocks"
    assert raised.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]"
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("blocks", ["{not json", '{"type": "section"}'])
async def test_blocks_that_are_no_list_are_refused(client: AsyncWebClient, blocks: str) -> None:
    with pytest.raises(SlackApiError) as raised:
        await client.chat_postMessage(channel="C0APPROVALS", text="x", blocks=blocks)

    assert raised.value.response["error"] == "invalid_blocks_format"
