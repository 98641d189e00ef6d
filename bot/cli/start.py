"""`signoff run`: start a run, and wait for its end if wanted."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bot.cli.budgets import amounts
from bot.cli.connection import Doors, Url, doors, segment
from bot.cli.definitions import sent
from bot.cli.run_drawing import run_picture
from bot.cli.serve import Workflows, split
from bot.cli.shapes import Run
from bot.cli.terminal import AsJson, ExitCode, finish, print_json, print_line, say, show, usage
from bot.definition_files import is_file
from engine.clock import SystemClock
from engine.digest import read_json
from engine.errors import EngineError
from engine.ids import SystemIds
from engine.rules.wording import is_table

POLL: Final = timedelta(milliseconds=300)
ENDED: Final = frozenset({"completed", "failed", "rolled_back", "cancelled", "killed"})

Budget = Annotated[
    list[str] | None,
    typer.Option(metavar="LIMIT", help="What it may spend: 10.00, 10.00 EUR, tokens=5000."),
]
Notify = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        help="Who is told when it waits or ends: https://…, mailto:…, slack:#channel.",
    ),
]

Sandbox = Annotated[
    bool,
    typer.Option("--sandbox", help="Do no step; ask people all the same, marked as a sandbox."),
]
Answers = Annotated[
    list[str] | None,
    typer.Option(
        "--answer", metavar="STEP=JSON", help="What a step returns in the sandbox; may be repeated."
    ),
]


def run(
    *,
    workflow: Annotated[
        str, typer.Argument(metavar="WORKFLOW", help="What to run, or a file that is added first.")
    ],
    given: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="KEY=VALUE", help="One input; may be repeated."),
    ] = None,
    input_json: Annotated[
        str | None, typer.Option("--input-json", help="All input as one JSON object.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the run has ended.")] = False,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key names the same run.")
    ] = None,
    budget: Budget = None,
    notify: Notify = None,
    sandbox: Sandbox = False,
    answers: Answers = None,
    workflows: Workflows = None,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """Start a run. With --wait: 0 once it is completed, 1 however else it ends."""

    async def deed() -> ExitCode:
        begun: dict[str, object] = {"workflow": workflow, "input": _input(given or [], input_json)}
        begun |= {"budget": amounts(budget)} if budget else {}
        begun |= {"notify": notify} if notify else {}
        begun |= {"sandbox": _answers(answers or ())} if sandbox or answers else {}
        key = idempotency_key or SystemIds().new("cli")
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(doors(url, workflows=split(workflows)))
            if is_file(workflow):
                begun["workflow"] = (await sent(server, Path(workflow)))["name"]
            if wait:
                await stack.enter_async_context(server.driven())
            started = await server.post("/api/runs", begun, idempotency_key=key)
            if not wait:
                _tell_started(started, server, as_json=as_json)
                return ExitCode.DONE
            say(f"{started['id']} has begun.")
            ended = await _ended(server, started["id"])
        _tell_ended(ended, as_json=as_json)
        return ExitCode.DONE if ended["status"] == "completed" else ExitCode.FAILED

    finish(deed())


def _tell_started(started: Any, server: Doors, *, as_json: bool) -> None:
    if as_json:
        print_json(started)
    else:
        print_line(started["id"])
    if server.inside is not None and server.is_owner:
        say("No server runs here: the run goes on once `signoff serve` is started, or use --wait.")


def _tell_ended(ended: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(ended)
    else:
        show(run_picture(Run.model_validate(ended)))


async def _ended(server: Doors, run: str) -> Any:
    clock = SystemClock()
    told: object = None
    while True:
        seen = await server.get(f"/api/runs/{segment(run)}")
        if seen["status"] in ENDED:
            return seen
        waiting = seen["waiting_for"]
        if waiting is not None and waiting != told:
            told = waiting
            say(f"{run} waits for {waiting['reason']} {waiting['approval'] or ''}".rstrip() + ".")
        await clock.sleep(POLL)


def _input(given: list[str], input_json: str | None) -> dict[str, object]:
    if input_json is not None:
        if given:
            raise usage("Give -i or --input-json, not both.")
        return _object(input_json)
    found: dict[str, object] = {}
    for each in given:
        key, equals, text = each.partition("=")
        if not equals or not key:
            raise usage(f"{each!r} is no input. Write -i key=value, such as -i order=17.")
        if key in found:
            raise usage(f"The input {key!r} is there twice.")
        found[key] = text
    return found


def _answers(given: Iterable[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for each in given:
        step, equals, text = each.partition("=")
        if not equals or not step:
            raise usage(f'{each!r} is no answer. Write --answer \'charge={{"id": "ch_1"}}\'.')
        try:
            found[step] = read_json(text.encode(), what="answer")
        except EngineError as error:
            raise usage(f"The answer of {step} is no JSON: {error}", code=error.code) from None
    return found


def _object(text: str) -> dict[str, object]:
    try:
        value = read_json(text.encode(), what="input")
    except EngineError as error:
        raise usage(f"--input-json cannot be read: {error}", code=error.code) from None
    if not is_table(value):
        raise usage('--input-json is no object. Write it as \'{"order": "17"}\'.')
    return {str(key): item for key, item in value.items()}
