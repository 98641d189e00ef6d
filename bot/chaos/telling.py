"""What the steps under chaos do: they tell the target, which keeps the ledger, and ask it what it did."""

import json
from pathlib import Path
from typing import Any, Final

from engine.clock import SystemClock, micros
from engine.http import plain_client
from signoff import StepInfo
from signoff.effects import Absent, Present

WORLD: Final = Path(
    "world.json"
)  # in the folder of the process: where the ledger is, and who this is
TRIES: Final = 4
DESK: Final = "desk"


async def do(name: str, what: str, *, step: StepInfo) -> str:
    """Do something outside."""
    await tell(step, name, what)
    return what


async def undo(_result: str | None, name: str, what: str, *, step: StepInfo) -> None:
    """Take it back."""
    await tell(step, f"undo {name}", what)


async def look_for(request_id: str, what: str) -> Present | Absent:
    """Whether the target has done it, truly."""
    async with plain_client(base_url=str(_world()["target"])) as client:
        answer = await client.get("/effects", params={"request": request_id})
    answer.raise_for_status()
    return Present(what) if answer.json()["done"] else Absent()


async def tell(step: StepInfo, name: str, *what: object, needs_consent: bool = False) -> None:
    """Have the target do it, under the step's request id."""
    world = _world()
    called = {
        "request": step.request_id,
        "name": name,
        "args": list(what),
        "needs_consent": needs_consent,
        "who": world["me"],
    }
    async with plain_client(base_url=str(world["target"])) as client:
        # The other side may read it late; what is judged is when it was asked.
        called["sent"] = micros(SystemClock().now())
        (await client.post("/effects", json=called)).raise_for_status()


def routes(room: str, reader: str) -> dict[str, list[str]]:
    """Where an approval is shown."""
    return {"slack": [room], "email": [reader], "webhook": [DESK]}


def _world() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(WORLD.read_text(encoding="utf-8"))
    return found
