"""Drives workflows of the pages on a real engine, each in a fork of its own.

It is told on stdin, a line of JSON for each: the folder, the module, the workflow and its input. How the runs
ended is in `ended.json` there; why there is none is said on stderr.
"""

import asyncio
import json
import os
import sys
from functools import partial
from pathlib import Path

from bot.settings import Settings
from bot.wiring import Running, running
from engine.ids import DEFAULT_TENANT, PersonId, RunId
from engine.rules.tally import Choice
from engine.services import runs, votes
from engine.services.runs import RunPicture
from engine.services.votes import Ballot
from engine.store.runs import NewRun
from signoff.registry import load
from tests.docs.filling import filled

EVERYBODY = ("ana", "bo", "dana")


async def driven(module: str, workflow: str, given: dict[str, object]) -> list[RunPicture]:
    """Two runs: after everybody who may has rejected whatever it asked, and after they approved."""
    here = Path.cwd()
    sys.path.insert(0, str(here))
    settings = Settings(
        None, database_url=f"sqlite:///{here / 'driven.db'}", config=here / "signoff.toml"
    )
    async with running(settings, authored=load([module])) as it:
        return [
            await one(it, workflow, given, choice) for choice in (Choice.REJECT, Choice.APPROVE)
        ]


async def one(it: Running, workflow: str, given: dict[str, object], choice: Choice) -> RunPicture:
    run = await started(it, workflow, given)
    for person in EVERYBODY:
        await it.worker.drain()
        await vote(it, run, person, choice)
    await it.worker.drain()
    return await picture(it, run)


async def started(it: Running, workflow: str, given: dict[str, object]) -> RunId:
    found = it.application.workflows.check(workflow, given)
    run = RunId(it.application.ids.new("run"))
    new = NewRun(id=run, tenant=DEFAULT_TENANT, workflow=found.name, version=found.version,
                 input=given, started_by="local", owner=None)  # fmt: skip
    await it.application.database.write(lambda tx: runs.start(tx, new))
    return run


async def vote(it: Running, run: RunId, person: str, choice: Choice) -> None:
    """On all that is open: branches ask several things at once."""
    for asked in (await picture(it, run)).approvals:
        if asked.status != "open":
            continue
        answers = filled(asked.modifying.content.form) if choice is Choice.APPROVE else None
        ballot = Ballot(tenant=DEFAULT_TENANT, approval=asked.id, person=PersonId(person),
                        choice=choice, form=answers, comment="As the page says.", channel="web",
                        identified_by="session")  # fmt: skip
        # Some of them may not vote on this one; that is on record and no matter here.
        await it.application.database.write(partial(votes.cast, ballot=ballot))


async def picture(it: Running, run: RunId) -> RunPicture:
    return await it.application.database.read(lambda tx: runs.picture(tx, DEFAULT_TENANT, run))


def main() -> None:
    """What all of them import is imported once; what a page imports, only in its own fork."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            folder, module, workflow, given = json.loads(line)
            os.chdir(folder)
            ended = asyncio.run(driven(module, workflow, given))
            told = json.dumps([each.to_json() for each in ended], default=str)
            Path("ended.json").write_text(told, encoding="utf-8")
            return
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
