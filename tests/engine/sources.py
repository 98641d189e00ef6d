"""Callers that report of cases, and a desk at which tests do it for them."""

import json
from dataclasses import dataclass
from typing import Any

from engine.ids import DEFAULT_TENANT, KeyId, PersonId, RunId
from engine.rules.tally import Choice
from engine.runtime import reconciling
from engine.services import cases, votes
from engine.services.cases import Wanted
from engine.services.keys import Caller, Scope
from engine.services.signals import Said
from engine.services.votes import Ballot
from engine.store.database import Transaction
from engine.store.lines import audit_lines
from tests.engine.stage import Stage

QUESTION = Wanted(title="Did order 17 arrive?", outcomes=["yes", "no"], collected=True)


def key(name: str, owner: str | None = None) -> Caller:
    """A key that reports."""
    return Caller(
        tenant=DEFAULT_TENANT,
        key=KeyId(f"key_{name}"),
        person=None,
        scopes=frozenset(Scope),
        owner=None if owner is None else PersonId(owner),
        name=name,
        kind="key",
    )


def person(name: str) -> Caller:
    """An operator in person."""
    return Caller(
        tenant=DEFAULT_TENANT,
        key=None,
        person=PersonId(name),
        scopes=frozenset(Scope),
        owner=PersonId(name),
        name=name.title(),
        kind="person",
    )


AGENT = key("agent")


@dataclass(frozen=True, kw_only=True)
class Matters:
    """Cases on a stage."""

    stage: Stage

    async def begin(self, wanted: Wanted = QUESTION, *, by: Caller = AGENT) -> str:
        made = await self.stage.database.write(lambda tx: cases.begin(tx, by, wanted))
        return str(made["id"])

    async def say(
        self, case: str, source: str, outcome: str, *, by: Caller = AGENT, **rest: Any
    ) -> dict[str, Any]:
        said = Said(source=source, outcome=outcome, **rest)
        return await self.stage.database.write(lambda tx: reconciling.report(tx, by, case, said))

    async def all_say(self, case: str, *outcomes: str) -> dict[str, Any]:
        """Sources s0, s1, … say these, one after the other; gives the case."""
        for index, outcome in enumerate(outcomes):
            await self.say(case, f"s{index}", outcome)
        return await self.seen(case)

    async def seen(self, case: str) -> dict[str, Any]:
        return await self.stage.database.read(lambda tx: cases.show(tx, DEFAULT_TENANT, case))

    async def resolve(self, case: str, outcome: str, *, by: Caller) -> dict[str, Any]:
        return await self.stage.database.write(
            lambda tx: cases.resolve(tx, by, case, outcome, reason="I looked.")
        )

    async def close(self, case: str, *, by: Caller = AGENT) -> dict[str, Any]:
        return await self.stage.database.write(
            lambda tx: cases.close(tx, by, case, reason="The order was cancelled.")
        )

    async def question(self, case: str) -> RunId:
        return RunId((await self.seen(case))["question"]["run"])

    async def voted(self, run: RunId, who: str, *, changes: dict[str, Any]) -> None:
        """Somebody approves, and no worker has seen it yet."""
        asked = (await self.stage.picture(run)).approvals[-1]
        ballot = Ballot(
            tenant=DEFAULT_TENANT,
            approval=asked.id,
            person=PersonId(who),
            choice=Choice.APPROVE,
            changes=changes,
            channel="web",
            identified_by="session",
        )
        receipt = await self.stage.database.write(lambda tx: votes.cast(tx, ballot))
        receipt.raise_refusal()

    async def told(self, case: str) -> list[tuple[str, str]]:
        """The audit's entries about a case: their kinds, and where it was then."""

        def read(tx: Transaction) -> list[tuple[str, str]]:
            lines = audit_lines(tx, DEFAULT_TENANT)
            said = [(line.kind, line.data) for line in lines if case in line.data]
            return [(kind, json.loads(data)["to"]) for kind, data in said if kind[:5] == "case."]

        return await self.stage.database.read(read)
