"""Stories of operators: runs stopped, held, changed over and watched, and requests changed while they are open."""

from datetime import timedelta
from typing import Final

from engine.ids import DEFAULT_TENANT, PersonId, WorkerId
from engine.rules.monitor import Errors, Monitor, Then
from engine.rules.suspicion import ANYBODY
from engine.runtime.monitoring import Watcher
from engine.services import (
    adopting,
    approvals,
    breakers,
    budgets,
    changing,
    configuration,
    driving,
    halting,
    restoring,
    runs,
    tending,
)
from engine.services.adopting import Adoption
from engine.services.budgets import Wanted
from engine.store.approvals import Wanted as Asked
from engine.store.database import Transaction
from engine.store.directory import Directory, ListedPerson
from engine.store.requests import Edit, Request
from tests.durability.scene import GROUPS
from tests.durability.tales.acts import (
    BY,
    OPERATOR,
    WHY,
    does,
    drive,
    looks,
    on_run,
    start,
    time,
    vote,
)
from tests.durability.tales.telling import Act, Story, Telling
from tests.engine import flows

HOUR: Final = timedelta(hours=1)
TARGET: Final = "https://bank.example.com"
ERRORS: Final = Monitor(
    name="trouble", watch=Errors(more_than=0, within=HOUR), then=Then.ASK, workflow="retrying",
    window=HOUR,
)  # fmt: skip


def _halts(scope: str) -> Act:
    return does(lambda tx, _it: halting.engage(tx, OPERATOR, scope, reason=WHY))


def _frees(scope: str) -> Act:
    return does(lambda tx, _it: halting.release(tx, OPERATOR, scope, reason=WHY))


def _asked(tx: Transaction, telling: Telling) -> str:
    return runs.picture(tx, DEFAULT_TENANT, telling.run).approvals[-1].id


def _approval(tx: Transaction, telling: Telling) -> object:
    found = runs.picture(tx, DEFAULT_TENANT, telling.run).approvals[-1]
    return found.status, found.version, found.title


async def _watch(telling: Telling) -> None:
    await Watcher(telling.on, {DEFAULT_TENANT: (ERRORS,)}).look()


def _operators(tx: Transaction, _telling: Telling) -> None:
    names = sorted({name for group in GROUPS.values() for name in group})
    people = tuple(ListedPerson(id=PersonId(name), name=name.title(), email=None) for name in names)
    groups = {name: frozenset(map(PersonId, them)) for name, them in GROUPS.items()}
    roles = {"operator": frozenset({PersonId("ana")})}
    configuration.apply(tx, DEFAULT_TENANT, Directory(people=people, groups=groups, roles=roles))


async def _fails_once(_telling: Telling) -> None:
    flows.FAIL["once"] = 1


async def _operators_agree(telling: Telling) -> None:
    wanted = Asked(status="open", limit=9)
    asked = await telling.scene.database.read(
        lambda tx: [
            row.id for row in approvals.page(tx, DEFAULT_TENANT, wanted) if row.action == "monitor"
        ]
    )
    for approval in asked:
        await telling.scene.vote(approval, "ana", on=telling.on)


def _asks(tx: Transaction, telling: Telling) -> str:
    request = Request(title=telling.name("May we?"), action="ask", approvers="group:finance")
    return approvals.ask(tx, DEFAULT_TENANT, request, started_by=BY, owner=None).id


def _asked_titles(tx: Transaction, telling: Telling) -> set[str]:
    wanted = Asked(text=telling.name("May we?"), limit=9)
    return {row.title.partition("-")[0] for row in approvals.page(tx, DEFAULT_TENANT, wanted)}


def _claims(tx: Transaction, telling: Telling) -> object:
    held = telling.kept.setdefault("held", {})
    claims = driving.claim(
        tx, worker=WorkerId("wrk_1"), workflows=["shaky_deploy@1"], lease_for=HOUR, limit=9,
        tries=ANYBODY,
    )  # fmt: skip
    held |= {each.run.id: each.token for each in claims}
    return held


async def _a_day(telling: Telling) -> None:
    await telling.scene.pass_time(timedelta(days=1))


def _adopts(to: str) -> Act:
    def deed(tx: Transaction, telling: Telling) -> object:
        found = adopting.candidate(tx, DEFAULT_TENANT, telling.run)
        return adopting.adopt(tx, found, Adoption(to=to, by=BY, reason=WHY))

    return does(deed)


def _fails_often(tx: Transaction, _telling: Telling) -> None:
    for _time in range(5):
        breakers.failed(tx, DEFAULT_TENANT, TARGET)


_LOST: Final = (does(_claims), _a_day)  # somebody takes it up, and is never heard of again

OPERATED: Final = {
    "paused": Story(
        about=["halting.pause", "runs.resume"],
        acts=(
            start("catching"), drive, on_run(halting.pause), drive, on_run(runs.resume),
            vote("ana"), drive,
        ),
    ),
    "cancelled": Story(
        about=["runs.cancel"], acts=(start("catching"), drive, on_run(runs.cancel), drive)
    ),
    "killed": Story(
        about=["halting.kill"], acts=(start("catching"), drive, on_run(halting.kill), drive)
    ),
    "halted": Story(
        about=["halting.engage", "halting.release", "halting.hold_up", "halting.free_some"],
        acts=(_halts("tenant"), start("marked"), drive, _frees("tenant"), drive),
    ),
    "edited": Story(
        about=["changing.edit", "changing.extend", "changing.cancel"],
        acts=(
            start("catching"), drive,
            does(lambda tx, it: changing.edit(tx, OPERATOR, _asked(tx, it), Edit(title="Keep?"))),
            does(lambda tx, it: changing.extend(tx, OPERATOR, _asked(tx, it), by="1h", reason=WHY)),
            does(lambda tx, it: changing.cancel(tx, OPERATOR, _asked(tx, it), reason=WHY)),
            drive,
        ),
        end=looks(_approval),
    ),
    "asked plainly": Story(about=["approvals.ask"], acts=(does(_asks),), end=looks(_asked_titles)),
    "watched": Story(
        about=["monitoring.fire", "monitoring.let_go"],
        acts=(
            does(_operators), _fails_once, start("retrying", deed_name="once", retries=2), drive, _watch,
            _operators_agree, drive, _watch, time(HOUR),
        ),
    ),
    "held after a restore": Story(
        about=["restoring.begin_anew"],
        acts=(
            start("shaky_deploy"), drive, does(lambda tx, _it: restoring.begin_anew(tx)),
            on_run(runs.resume), vote("ana"), drive,
        ),
    ),
    "quarantined": Story(
        about=["runs.release"],
        acts=(
            start("shaky_deploy"), *(_LOST * 3), drive, on_run(runs.release), drive, vote("ana"),
            drive,
        ),
    ),
    "changed over": Story(
        about=["adopting.adopt"],
        acts=(start("shaky_nap"), drive, _adopts("2"), drive, _adopts("1"), time()),
    ),
    "leased": Story(
        about=["adopting.hold", "driving.claim", "tending.renew", "tending.give_back", "tending.free_all"],
        acts=(
            does(lambda tx, _it: adopting.hold(tx, ["shaky_deploy@1"])),
            start("shaky_deploy"), does(_claims),
            does(lambda tx, it: tending.renew(tx, it.kept["held"], lease_for=HOUR)),
            does(lambda tx, it: tending.give_back(tx, it.kept["held"])),
            does(_claims),
            does(lambda tx, _it: tending.free_all(tx)),
        ),
    ),
    "raised": Story(
        about=["budgets.set_budget", "raises.begin", "raises.answer"],
        acts=(
            does(lambda tx, _it: budgets.set_budget(tx, DEFAULT_TENANT, Wanted(
                limit={"usd": "0.20"}, scope="workflow:loop", per="run", then="wait",
                approvers="group:finance",
            ), by=BY)),
            start("loop", steps=3), drive, vote("ana"), drive,
        ),
    ),
    "budgeted": Story(
        about=["budgets.of_run", "budgets.remove"],
        acts=(
            start("marked"),
            does(lambda tx, it: budgets.of_run(
                tx, DEFAULT_TENANT, it.run, {"usd": "5.00"}, by=BY
            )["id"], "budget"),
            does(lambda tx, it: budgets.remove(tx, DEFAULT_TENANT, it.kept["budget"], by=BY)),
        ),
        end=looks(lambda tx, it: len(runs.picture(tx, DEFAULT_TENANT, it.run).budgets)),
    ),
    "rested": Story(
        about=["breakers.failed", "breakers.admit", "breakers.answered"],
        acts=(
            does(_fails_often), does(lambda tx, _it: breakers.admit(tx, DEFAULT_TENANT, TARGET)),
            time(HOUR), does(lambda tx, _it: breakers.admit(tx, DEFAULT_TENANT, TARGET)),
            does(lambda tx, _it: breakers.answered(tx, DEFAULT_TENANT, TARGET)),
        ),
        end=looks(lambda tx, _it: breakers.is_closed(tx, DEFAULT_TENANT, TARGET)),
    ),
}  # fmt: skip
