"""Stories that come to their end however often they are interrupted, and what the world must then have seen."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from engine.errors import EngineError, Fault, NotFound
from engine.ids import DEFAULT_TENANT, PersonId, RunId
from engine.rules.states import TERMINAL, WaitingReason
from engine.runtime.once import receipts_in
from engine.services import anchoring, approvals, budgets, effects
from engine.services.budgets import Wanted
from engine.services.effects import Settlement
from engine.signing import Signer
from engine.store.approvals import ApprovalRow, page
from engine.store.approvals import Wanted as Page
from signoff import StepInfo
from signoff.effects import Absent, Present
from signoff.receipts import EffectTerms
from tests.durability import notes
from tests.durability.deeds import FEWER, FILLED, LESS
from tests.durability.flows import WORLD
from tests.durability.groves import Plan
from tests.durability.scene import Anywhere

RUN: Final = RunId("run_story")
PEOPLE: Final = ("ana", "bo", "dana")
TURNS_MAX: Final = 40
LEASE: Final = timedelta(seconds=2)  # of a receipt whose claimer is not heard of
MINUTE: Final = timedelta(minutes=1)
SIGNER: Final = Signer(bytes(range(32)))
FAMILY: Final[Plan] = [
    ["step", "migrate"],
    ["child", [["step", "deploy"], ["ask", "look"]]],
    ["gather", {"one": [["step", "announce"]], "other": [["step", "wake"]]}],
    ["ask", "keep"],
]


@dataclass(frozen=True, kw_only=True)
class Story:
    """A run and its people. `no` is what they reject; `effects` is what is done, each under one request id."""

    workflow: str
    ends: str
    effects: tuple[str, ...]
    given: Mapping[str, object] = field(default_factory=dict[str, object])
    no: frozenset[str] = frozenset()
    changes: Mapping[str, object] | None = None
    form: Mapping[str, object] | None = None
    limit: str | None = None

    async def play(self, scene: Anywhere, run: RunId = RUN) -> None:
        """Play on from wherever it was interrupted, until the run has ended."""
        if self.limit is not None:
            wanted = Wanted(limit={"usd": self.limit}, scope=f"workflow:{self.workflow}")
            await scene.database.write(
                lambda tx: budgets.set_budget(tx, DEFAULT_TENANT, wanted, by="local")
            )
        if not await _is_there(scene, run):
            await scene.start_as(run, self.workflow, self.given)
        for _turn in range(TURNS_MAX):
            await scene.drive()
            row = (await scene.picture(run)).row
            if row.status in TERMINAL:
                return await scene.deliver()
            if row.reason is WaitingReason.RECONCILE:
                await settle(scene, run)
            elif not await self._answer(scene):
                await scene.pass_time(MINUTE)
        raise Fault(f"The story of {self.workflow} did not end.")

    async def _answer(self, scene: Anywhere) -> bool:
        """Whether somebody voted who had not."""
        rows = await scene.database.read(lambda tx: page(tx, DEFAULT_TENANT, Page(status="open")))
        return any([await self._vote(scene, row) for row in rows])

    async def _vote(self, scene: Anywhere, row: ApprovalRow) -> bool:
        seen = await scene.database.read(lambda tx: approvals.picture(tx, DEFAULT_TENANT, row.id))
        voted = {vote.person for vote in seen.votes}
        for person in PEOPLE:
            if PersonId(person) in voted:
                continue
            says_no = row.content.action in self.no
            said = None if says_no else self.changes, None if says_no else self.form
            choice = "reject" if says_no else "approve"
            try:
                await scene.vote(row.id, person, choice, changes=said[0], form=said[1])
            except EngineError:
                continue  # not asked
            return True
        return False

    async def wrong(self, scene: Anywhere) -> list[str]:
        """What is not as it must be at the end."""
        row = (await scene.picture(RUN)).row
        done = {each.request: each.name for each in notes.effects(scene.folder)}
        found = scene.violations()
        if (row.status, Counter(done.values())) != (self.ends, Counter(self.effects)):
            found.append(f"It is {row.status}, and done was {sorted(done.values())}")
        return found


async def make_receipts(scene: Anywhere) -> None:
    """Two effects that belong to no run, each under its receipt; and one more name of the second."""
    ledger = receipts_in(scene.database, DEFAULT_TENANT, by="worker:story")
    names = ("order-17", "order-18", "order-18 once more")
    for name, effect in zip(names, (None, "eighteen", "eighteen"), strict=True):
        terms: EffectTerms = {"probe": _look, "lease": LEASE}
        if effect is not None:
            terms["name"] = effect
        await ledger.once(name, "refund", {"order": effect}, _make, **terms)


async def receipts_wrong(scene: Anywhere) -> list[str]:
    """The receipts of a story without a run."""
    made = Counter(notes.made(scene.folder))
    expected = {"order-17": 1, "order-18": 1}
    return scene.violations() + ([] if made == expected else [f"Made was {made}"])


async def anchor(scene: Anywhere) -> None:
    """A run, anchored before and after."""
    await anchoring.anchor_all(scene.database, DEFAULT_TENANT, SIGNER)
    await STORIES["gated"].play(scene)
    await anchoring.anchor_all(scene.database, DEFAULT_TENANT, SIGNER)


STORIES: Final = {
    "gated": Story(workflow="shaky_refund", ends="completed", effects=("look up", "pay")),
    "undone": Story(
        workflow="shaky_deploy",
        ends="rolled_back",
        effects=("migrate", "deploy", "undo deploy", "undo migrate"),
        no=frozenset({"deploy"}),
    ),
    "charged": Story(
        workflow="shaky_charge",
        given={"probes": False},
        ends="completed",
        effects=("migrate", "charge", "deploy"),
        limit="30.00",
    ),
    "probed": Story(
        workflow="shaky_charge",
        given={"probes": True},
        ends="completed",
        effects=("migrate", "charge", "deploy"),
    ),
    "changed": Story(
        workflow="shaky_order",
        ends="completed",
        effects=("look up", "order"),
        changes=FEWER,
        limit="20.00",
    ),
    "family": Story(
        workflow="grove",
        given={"plan": FAMILY},
        ends="rolled_back",
        effects=tuple(
            f"{said}{name}"
            for said in ("", "undo ")
            for name in ("migrate", "deploy", "announce", "wake")
        ),
        no=frozenset({"keep"}),
    ),
}
# What votes say is interrupted above; these are for whoever judges it.
ASKED: Final = {
    "filled": Story(workflow="shaky_rollout", ends="completed", effects=("roll out",), form=FILLED),
    "granted": Story(workflow="shaky_grant", ends="completed", effects=("spend",), changes=LESS),
}
Play = Callable[[Anywhere], Awaitable[None]]
Judge = Callable[[Anywhere], Awaitable[list[str]]]
PLAYS: Final[Mapping[str, tuple[Play, Judge]]] = {
    **{name: (story.play, story.wrong) for name, story in STORIES.items()},
    "receipts": (make_receipts, receipts_wrong),
    "anchored": (anchor, STORIES["gated"].wrong),
}


async def settle(scene: Anywhere, run: RunId) -> None:
    """As an operator who looks what really happened, and says so."""
    done = notes.effects(scene.folder)
    happened = any(each.name == "charge" and each.place[0] == run for each in done)
    said = Settlement(
        outcome="happened" if happened else "did_not_happen",
        result="ana" if happened else None,
        by="person:ana",
        reason="I looked.",
    )
    await scene.database.write(lambda tx: effects.settle(tx, DEFAULT_TENANT, run, said))


async def _is_there(scene: Anywhere, run: RunId) -> bool:
    try:
        await scene.picture(run)
    except NotFound:
        return False
    return True


def _make(_payload: object, *, step: StepInfo) -> str:
    WORLD[-1].made(step.request_id)
    return step.request_id


def _look(request_id: str, *_what: object) -> Present | Absent:
    is_made = request_id in notes.made(WORLD[-1].folder)
    return Present(request_id) if is_made else Absent()
