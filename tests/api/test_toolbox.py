"""Guarded functions as a model's tools: it repeats itself and is told no, and nothing is done twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import pytest
from anthropic import AsyncAnthropic, beta_async_tool
from fastapi import FastAPI, Request
from pydantic import Field

from bot.demo.serving import served
from engine.services.keys import Scope
from signoff import Client, NoEffect, SignoffError, StepInfo
from signoff.asking import AskTerms
from signoff.guarding import guarded
from signoff.toolbox import Toolbox
from tests.api.desk import ANA, Desk
from tests.api.test_guarding import vote

pytestmark = pytest.mark.anyio

APPROVAL: AskTerms = {"approvers": "group:finance", "ladder": ["reject after 4h"]}
Arguments = Mapping[str, Any]


class Shop:
    """What there is to do, and what was done."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self.paid: list[tuple[str, str]] = []
        self.fails: list[Exception] = []

    def client(self) -> Client:
        return Client(self.url, self.key)

    def box(self, approval: AskTerms | None = None, **given: object) -> Toolbox:
        """The tools `refund` and `look_up`."""

        @self.guard(approval)
        async def refund(
            order: Annotated[str, Field(description="Which order.")],
            amount: str = "1.00",
            *,
            currency: str = "EUR",
            step: StepInfo | None = None,
        ) -> dict[str, str]:
            """Pay an order back."""
            if self.fails:
                raise self.fails.pop(0)
            self.paid.append((order, f"{amount} {currency}"))
            return {"refund": step.request_id if step else ""}

        def look_up(order: str) -> str:
            return f"order {order} is lost"

        return Toolbox(refund, reads=[look_up], given=given)

    def guard(self, approval: AskTerms | None) -> Callable[..., Any]:
        if approval is None:
            return guarded("refund", "order-{order}", client=self.client)
        return guarded("refund", "order-{order}", client=self.client, approval=approval)


@pytest.fixture
async def shop(app: FastAPI, desk: Desk) -> AsyncIterator[Shop]:
    key = await desk.key(Scope.RECEIPTS, Scope.APPROVALS_ASK, Scope.READ)
    async with served(app) as url:
        yield Shop(url, key.token)


def anything(*orders: str) -> str:
    return ", ".join(orders)


def look(order: str) -> str:
    return order


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (lambda: Toolbox(look), "would do it twice"),
        (lambda: Toolbox(reads=[look, look]), "two tools"),
        (lambda: Toolbox(reads=[anything]), "by name"),
        (lambda: Toolbox(reads=[look], given={"session": 1}), "No tool has a parameter 'session'"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_at_once(build: Callable[[], Toolbox], why: str) -> None:
    with pytest.raises(TypeError, match=why):
        build()


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("pay", "{}", "There is no tool 'pay'. There are: refund, look_up."),
        ("refund", "{", "not JSON"),
        ("refund", "[1]", "by name"),
        ("refund", '{"amount": "1.00"}', "order: Field required"),
        ("refund", '{"order": "17", "step": {}}', "step: Extra inputs"),
        ("refund", {"order": 17}, "order: Input should be a valid string"),
    ],
)
async def test_a_call_that_makes_no_sense_is_told_so_and_does_nothing(
    shop: Shop, name: str, arguments: str | Arguments, told: str
) -> None:
    said = await shop.box().answer(name, arguments)

    assert told in said
    assert shop.paid == []


async def test_a_model_that_repeats_itself_does_it_once_and_cannot_do_otherwise(
    shop: Shop,
) -> None:
    box = shop.box(currency="USD")

    first, again = [await box.answer("refund", '{"order": "17"}') for _call in range(2)]
    other = await box.answer("refund", {"order": "17", "amount": "6200.00"})

    assert first == again == '{"refund": "order-17"}'
    assert other.startswith("Not done. ")
    assert shop.paid == [("17", "1.00 USD")]
    assert await box.answer("look_up", '{"order": "17"}') == "order 17 is lost"


async def test_it_is_told_what_it_may_try_again_and_what_nobody_may(shop: Shop) -> None:
    box, call = shop.box(), {"order": "17"}
    shop.fails = [NoEffect("the bank is closed"), TimeoutError("no answer")]

    nothing = await box.answer("refund", call)
    with pytest.raises(TimeoutError):
        await box.answer("refund", call)
    doubt = await box.answer("refund", call)

    assert nothing == "Nothing was done: the bank is closed. It may be called again."
    assert "Do not call it again; a person has to look." in doubt
    assert shop.paid == []


async def test_people_are_asked_and_their_no_is_told_to_the_model(shop: Shop, desk: Desk) -> None:
    box, told = shop.box(APPROVAL), dict[str, str]()

    for order, choice in (("17", "reject"), ("18", "approve")):
        async with asyncio.TaskGroup() as group:
            group.create_task(vote(await desk.person(ANA), choice))
            asked = group.create_task(box.answer("refund", {"order": order}))
        told[order] = asked.result()

    assert told["17"].startswith("Not done. Approval apr_")
    assert "rejected by ana: Said." in told["17"]
    assert (told["18"], shop.paid) == ('{"refund": "order-18"}', [("18", "1.00 EUR")])


async def test_a_method_that_is_not_async_is_a_tool_alike(shop: Shop) -> None:
    class Till:
        @guarded("pay", "till-{order}", client=shop.client)
        def pay(self, order: int) -> int:
            shop.paid.append((str(order), "paid"))
            return order + 1

    box = Toolbox(Till().pay)

    assert [await box.answer("pay", '{"order": 17}') for _call in range(2)] == ["18", "18"]
    assert shop.paid == [("17", "paid")]


async def test_a_key_that_is_refused_is_no_matter_for_the_model(shop: Shop) -> None:
    shop.key = "sk_wrong"

    with pytest.raises(SignoffError):
        await shop.box().answer("refund", {"order": "17"})


async def test_it_is_defined_as_each_interface_wants_it(shop: Shop) -> None:
    box = shop.box(currency="USD")
    schema = {
        "type": "object",
        "properties": {
            "order": {"type": "string", "title": "Order", "description": "Which order."},
            "amount": {"type": "string", "title": "Amount", "default": "1.00"},
        },
        "required": ["order"],
        "additionalProperties": False,
    }
    said = {"name": "refund", "description": "Pay an order back."}

    assert box.for_openai()[0] == {
        "type": "function",
        "function": {**said, "parameters": schema},
    }
    assert box.for_openai_responses()[0] == {
        "type": "function", "strict": False, **said, "parameters": schema,
    }  # fmt: skip
    assert box.for_anthropic()[0] == {**said, "input_schema": schema}


# What CrewAI's own base class does with a tool, as 1.15 has it: arguments are read by the schema, and
# handed on as it writes them out.
CREWAI = """
from collections.abc import Callable
from typing import Any
from pydantic import BaseModel

class BaseTool(BaseModel):
    name: str
    description: str
    args_schema: type[BaseModel]
    cache_function: Callable[..., bool] = lambda *_call: True

    def run(self, **given: Any) -> Any:
        return self._run(**self.args_schema.model_validate(given).model_dump())

    async def arun(self, **given: Any) -> Any:
        return await self._arun(**self.args_schema.model_validate(given).model_dump())
"""


async def within(tool: Any, **given: str) -> Any:
    """What a tool that is not awaited says inside a loop."""
    return tool.run(**given)


async def test_crewai_calls_it_once_in_either_way_and_keeps_no_answer(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crewai").mkdir()
    (tmp_path / "crewai" / "tools.py").write_text(CREWAI, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    tool, reading = shop.box(currency="USD").for_crewai()
    waiting = await tool.arun(order="17")
    blocking = await asyncio.to_thread(tool.run, order="17")
    inside = await asyncio.to_thread(asyncio.run, within(tool, order="17", amount="6200.00"))

    assert (tool.name, tool.description) == ("refund", "Pay an order back.")
    assert waiting == blocking == '{"refund": "order-17"}'
    assert inside.startswith("Not done. ")
    assert shop.paid == [("17", "1.00 USD")]
    assert tool.cache_function({}, waiting) is False
    assert await reading.arun(order="17") == "order 17 is lost"


def stubborn_model() -> tuple[FastAPI, list[Any]]:
    """A model that calls the same tool in three turns, and what was said to it."""
    app, heard = FastAPI(), list[Any]()

    @app.post("/v1/messages")
    async def answer(request: Request) -> dict[str, Any]:
        heard.append(await request.json())
        call = {"type": "tool_use", "id": f"toolu_{len(heard)}", "name": "refund"}
        is_over = len(heard) > 3
        done = {"type": "text", "text": "Done."}
        return {
            "id": f"msg_{len(heard)}",
            "type": "message",
            "role": "assistant",
            "model": "stubborn",
            "content": [done if is_over else {**call, "input": {"order": "17"}}],
            "stop_reason": "end_turn" if is_over else "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }

    return app, heard


async def test_anthropics_own_runner_drives_it(shop: Shop) -> None:
    model, heard = stubborn_model()
    tools = [beta_async_tool(each) for each in shop.box().functions[:1]]

    async with served(model) as url, AsyncAnthropic(api_key="test", base_url=url) as client:
        runner = client.beta.messages.tool_runner(
            model="stubborn",
            max_tokens=100,
            messages=[{"role": "user", "content": "Pay order 17 back."}],
            tools=tools,
        )
        await runner.until_done()

    results = [each["messages"][-1]["content"][0]["content"] for each in heard[1:]]
    assert results == ['{"refund": "order-17"}'] * 3
    assert heard[0]["tools"][0]["input_schema"]["required"] == ["order"]
    assert shop.paid == [("17", "1.00 EUR")]
