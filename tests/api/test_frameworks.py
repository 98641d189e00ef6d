"""The frameworks themselves, in an environment of theirs, take the tools as they are and drive them."""

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI

from bot.demo.serving import served
from engine.services.keys import Scope
from tests.api.desk import Desk
from tests.packaging import environments

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DRIVES = """
import asyncio, sys
from langchain_core.tools import tool
from openai.types.chat import ChatCompletionFunctionToolParam
from openai.types.responses import FunctionToolParam
from pydantic import TypeAdapter
from signoff import Client
from signoff.guarding import guarded
from signoff.toolbox import Toolbox

paid = []

@guarded("refund", "order-{order}", client=lambda: Client(sys.argv[1], sys.argv[2]))
def refund(order: str, amount: str = "1.00") -> dict[str, str]:
    "Pay an order back."
    paid.append(order)
    return {"refund": order}

box = Toolbox(refund)
[found] = [tool(each) for each in box.functions]
print(found.name, "|", found.description, "|", *found.args)
print(found.invoke({"order": "17"}), asyncio.run(found.ainvoke({"order": "17"})))
print(found.invoke({"order": "17", "amount": "6200.00"})[:9], paid)
for shape, said in (
    (ChatCompletionFunctionToolParam, box.for_openai()),
    (FunctionToolParam, box.for_openai_responses()),
):
    assert TypeAdapter(list[shape]).validate_python(said, strict=True) == said
"""


async def test_langchain_calls_it_once_and_openai_knows_its_shape(
    app: FastAPI, desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "drives.py").write_text(DRIVES, encoding="utf-8")
    theirs = environments.make(tmp_path / "venv")
    wheel = environments.build_wheel(tmp_path)
    # With the oldest pydantic that the client takes: frameworks are often behind.
    wanted = ("langchain-core==1.7.2", "openai==3.54.0", "pydantic==2.11.9")
    await asyncio.to_thread(theirs.install, str(wheel), *wanted)
    key = await desk.key(Scope.RECEIPTS)

    async with served(app) as url:
        driven = await asyncio.to_thread(
            theirs.run, "python", "drives.py", url, key.token, cwd=tmp_path
        )

    assert driven.returncode == 0, driven.stderr
    assert driven.stdout.splitlines() == [
        "refund | Pay an order back. | order amount",
        '{"refund": "17"} {"refund": "17"}',
        "Not done. ['17']",
    ]
