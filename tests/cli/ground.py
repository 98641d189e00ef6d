"""A shop with a Signoff of its own: its folder, its server as a process, and terminals that talk to it."""

import contextlib
import json
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from bot.settings import Settings, variable
from tests.cli.in_process import typed
from tests.nursery import Forked

SECONDS_MAX = 60
LINK = re.compile(r"http://127\.0\.0\.1:[0-9]+(/sign-in/[A-Za-z0-9_-]+)")

# Whoever runs the tests may have settings of their own.
UNSET = {variable(name): None for name in (*Settings.model_fields, "url", "api_key")}

CONFIGURATION = """\
[people.ana]
name = "Ana Diaz"
email = "ana@example.com"

[people.bo]
name = "Bo Chen"
email = "bo@example.com"

[people.eve]
name = "Eve Adams"
email = "eve@example.com"

[groups.finance]
members = ["ana", "bo"]

[roles]
operator = ["ana"]
"""

WORKFLOWS = '''\
"""What the shop runs."""

from pathlib import Path

from signoff import Run, workflow


@workflow
async def bargain(run: Run, amount: str) -> str:
    """Pay as much as finance makes of it."""
    call = run.call(settled, amount)
    decision = await run.approval(
        f"Pay {amount}?",
        action="bargain",
        call=call,
        details={"amount": amount},
        kind="modify",
        fields=["amount"],
        approvers="group:finance",
        quorum=2,
    )
    return await run.step(decision.call or call, approved=decision)


@workflow
async def release(run: Run, quorum: int = 2) -> str:
    """Release when and as often as finance says."""
    call = run.call(released, 3, when=None)
    decision = await run.approval(
        "Release 2.1?",
        action="release",
        call=call,
        kind="form",
        form={
            "required": ["when", "replicas"],
            "properties": {
                "when": {
                    "type": "string",
                    "title": "When",
                    "oneOf": [{"const": "now", "title": "Right now"}, {"const": "tonight"}],
                },
                "replicas": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
                "checks": {"type": "array", "title": "Checks", "items": {"enum": ["smoke", "load"]}},
                "page": {"type": "boolean", "title": "Page somebody"},
            },
        },
        approvers="group:finance",
        quorum=quorum,
    )
    return await run.step(decision.call or call, approved=decision)


@workflow
async def fund(run: Run, amount: str) -> str:
    """Spend what finance grants."""
    call = run.call(settled, amount)
    decision = await run.approval(
        "Fund the fair?",
        action="fund",
        call=call,
        details={"amount": amount},
        kind="budget",
        approvers="group:finance",
    )
    return await run.step(decision.call or call, approved=decision)


@workflow
async def batch(run: Run, orders: list[str]) -> list[str]:
    """Pay several orders, each as a run of its own."""

    def paying(order: str):
        return lambda branch: branch.child(pay, order)

    paid = await run.gather(**{order: paying(order) for order in orders})
    return sorted(paid.values())


@workflow
async def browse(run: Run) -> None:
    """Ask a model again and again, and never stop."""
    number = 0
    while True:
        await run.step(asked_model, number, cost={"usd": "0.10", "tokens": 50})
        number += 1


@workflow
async def charge(run: Run, order: str) -> str:
    """Charge a card once, over a line that may be dead."""
    made = await run.step(charged, order, irreversible=True)
    return f"{order} with {made}"


@workflow
async def greet(run: Run, name: str, times: int = 1) -> str:
    """Greet `name`."""
    return await run.step(greeting, name, times)


@workflow
async def pay(run: Run, order: str, amount: str = "1.00", quorum: int = 1) -> str:
    """Pay, once finance agrees."""
    await run.step(reserve, order, undo=give_back)
    decision = await run.approval(
        f"Pay {amount} for {order}?",
        action="pay",
        details={"order": order, "amount": amount},
        approvers="group:finance",
        quorum=quorum,
        ladder=["remind after 30m", "reject after 4h"],
    )
    return await run.step(paid, order, approved=decision)


@workflow
async def stumble(run: Run) -> None:
    """Fail."""
    await run.step(fall, retries=0)


@workflow
async def spill(run: Run) -> None:
    """Do what cannot be undone until somebody brings a mop."""
    await run.step(pour, undo=wipe)
    await run.approval("Leave it?", action="spill", approvers="role:operator")


def settled(amount: str) -> str:
    return f"settled with {amount}"


def released(replicas: int, when: str | None) -> str:
    return f"released {when}, {replicas} times"


def asked_model(number: int) -> str:
    return f"page {number}"


def charged(order: str) -> str:
    if not Path(f"line-{order}").exists():
        raise OSError("the line is dead")
    return "charge 2"


def pour() -> str:
    return "poured"


def wipe(poured: str) -> str:
    Path("mop").unlink()
    return "wiped"


def greeting(name: str, times: int) -> str:
    return ", ".join([f"hello {name}"] * times)


def reserve(order: str) -> str:
    return f"reserved {order}"


def give_back(reserved: str, order: str) -> str:
    return f"gave back {order}"


def paid(order: str) -> str:
    return f"paid {order}"


def fall() -> None:
    raise ValueError("the floor is wet")
'''


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A folder with a configuration and workflows, and the environment of whoever works in it."""

    folder: Path
    port: int
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / "signoff.db"

    def environment(self, home: Path) -> dict[str, str]:
        return {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "LANG": "C.UTF-8",
            "SIGNOFF_PORT": str(self.port),
            **self.extra,
        }

    def begin(self, *words: str, home: Path | None = None, stderr: IO[str] | None = None) -> Forked:
        """Start a command as a process of its own, whose output is read through pipes."""
        environment = self.environment(home or self.folder)
        return Forked(words, cwd=self.folder, env=environment, stderr=stderr)

    def says(self, *words: str, home: Path | None = None) -> Said:
        """What a process of its own says to `signoff words…`."""
        process = self.begin(*words, home=home)
        out, err = process.communicate(timeout=SECONDS_MAX)
        return Said(code=process.wait(), out=out, err=err)

    def types(self, *words: str, home: Path | None = None) -> Said:
        """The same in this process, which is quicker; not for what opens the database or serves."""
        with contextlib.chdir(self.folder):
            environment = {**UNSET, **self.environment(home or self.folder)}
            code, out, err = typed(words, environment)
        return Said(code=code, out=out, err=err)


@dataclass(kw_only=True)
class Server:
    """`signoff serve`, as a process that answers."""

    shop: Shop
    process: Forked
    sign_in: str | None

    @property
    def log(self) -> str:
        return (self.shop.folder / "serve.log").read_text(encoding="utf-8")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS_MAX)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS_MAX)


def new_shop(folder: Path, **extra: str) -> Shop:
    """A shop in `folder`, with nothing running."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "signoff.toml").write_text(CONFIGURATION, encoding="utf-8")
    (folder / "shop.py").write_text(WORKFLOWS, encoding="utf-8")
    return Shop(folder=folder, port=free_port(), extra=extra)


@contextlib.contextmanager
def served(shop: Shop, *words: str) -> Iterator[Server]:
    """The shop's server, from its first answer to the end of the block."""
    with (shop.folder / "serve.log").open("a", encoding="utf-8") as log:
        process = shop.begin("serve", "--workflows", "shop", "--json", *words, stderr=log)
        try:
            line = process.stdout.readline()
            assert line, (shop.folder / "serve.log").read_text(encoding="utf-8")
            yield Server(shop=shop, process=process, sign_in=json.loads(line)["sign_in"])
        finally:
            process.kill()
            process.communicate(timeout=SECONDS_MAX)


def open_link(server: Server, link: str) -> None:
    """Do what a person does in the browser: open the link, and press the button."""
    with httpx.Client(base_url=server.shop.url, trust_env=False) as browser:
        assert browser.get(link).status_code == 200
        pressed = browser.post(link, headers={"Origin": server.shop.url})
        assert pressed.status_code in {200, 303}, pressed.text


def sign_in(server: Server, who: str, home: Path) -> Said:
    """Sign a terminal in: `signoff login`, the link on the server's terminal, the button."""
    before = len(LINK.findall(server.log))
    process = server.shop.begin("login", who, home=home)
    assert process.stderr is not None
    process.stderr.readline()  # said once the link is on its way
    open_link(server, LINK.findall(server.log)[before:][-1])
    out, err = process.communicate(timeout=SECONDS_MAX)
    return Said(code=process.wait(), out=out, err=err)


def until(is_so: Callable[[], object], *, every: float = 0.02) -> None:
    """Return once `is_so`, looking again and again for a minute, `every` so many seconds."""
    last = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < last
        threading.Event().wait(every)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
