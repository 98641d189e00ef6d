"""Stories of cases that many sources report of, of people who are forgotten, and of what watches from outside."""

from datetime import timedelta
from typing import Any, Final

from engine.ids import DEFAULT_TENANT, PersonId
from engine.runtime import reconciling
from engine.services import cases, erasing, legal_holds, people, rotating, tracing
from engine.services.cases import Wanted
from engine.services.signals import Said
from engine.store import secret
from engine.store.database import Transaction
from tests.clock import NOON
from tests.durability.tales.acts import BY, OPERATOR, WHY, does, drive, looks, start, time
from tests.durability.tales.telling import Story, Telling
from tests.engine import thrifty
from tests.engine.sources import AGENT

HOMES: Final = (thrifty,)  # of the workflows besides those of `tests.durability.flows`
SCOPE: Final = "person:bo"


def _case(tx: Transaction, telling: Telling) -> str:
    wanted = Wanted(
        title=telling.name("Did it arrive?"), outcomes=["yes", "no"], collected=True,
        approvers="group:finance",
    )  # fmt: skip
    return str(cases.begin(tx, AGENT, wanted)["id"])


def _says(source: str, outcome: str) -> Any:
    def deed(tx: Transaction, telling: Telling) -> object:
        said = Said(source=source, outcome=outcome, id=f"{source}-1")
        return reconciling.report(tx, AGENT, telling.kept["case"], said)

    return does(deed)


def _seen(tx: Transaction, telling: Telling) -> object:
    case = cases.show(tx, DEFAULT_TENANT, telling.kept["case"])
    return case["status"], case["outcome"]


def _held(tx: Transaction, _telling: Telling) -> object:
    return legal_holds.place(tx, DEFAULT_TENANT, SCOPE, by=BY, reason=WHY)


def _let_go(tx: Transaction, _telling: Telling) -> None:
    legal_holds.release(tx, DEFAULT_TENANT, SCOPE, by=BY, reason=WHY)


def _erased(tx: Transaction, _telling: Telling) -> object:
    return erasing.erase(tx, DEFAULT_TENANT, PersonId("dana"), by=BY, reason=WHY)


def _takes_the_turn(tx: Transaction, telling: Telling) -> object:
    taken = tracing.begin(tx, tracing.standing(tx), holder="wrk_1", since=NOON)
    return taken or telling.kept.get("turn")


JUDGED: Final = {
    "disputed": Story(
        about=["cases.begin", "signals.report", "signals.question", "cases.resolve"],
        acts=(
            does(_case, "case"), _says("carrier", "yes"), _says("customer", "no"),
            does(lambda tx, it: cases.resolve(tx, OPERATOR, it.kept["case"], "yes", reason=WHY)),
        ),
        end=looks(_seen),
    ),
    "given up": Story(
        about=["cases.close", "expiring.expire_due"],
        acts=(
            does(_case, "case"), _says("carrier", "yes"), time(timedelta(days=31)),
            does(_case, "closed"),
            does(lambda tx, it: cases.close(tx, OPERATOR, it.kept["closed"], reason=WHY)),
        ),
        end=looks(
            lambda tx, it: [
                cases.show(tx, DEFAULT_TENANT, it.kept[which])["status"]
                for which in ("case", "closed")
            ]
        ),
    ),
    "another secret": Story(
        about=["rotating.take_up"],
        acts=(does(lambda tx, _it: rotating.take_up(tx)),),
        end=looks(lambda tx, _it: secret.known(tx.connection) is not None),
    ),
    "held": Story(
        about=["legal_holds.place", "legal_holds.release"],
        acts=(does(_held), does(_let_go)),
    ),
    "forgotten": Story(
        about=["erasing.erase"], acts=(does(_erased),),
        end=looks(lambda tx, _it: people.find(tx, DEFAULT_TENANT, PersonId("dana")).name),
    ),
    "traced": Story(
        about=["tracing.begin", "tracing.end"],
        acts=(
            does(_takes_the_turn, "turn"),
            does(lambda tx, it: tracing.end(tx, it.kept["turn"], at=NOON + timedelta(hours=1))),
        ),
    ),
    "reused": Story(
        about=["reusing.keep"], acts=(start("thrifty", question="bees", times=2), drive)
    ),
}  # fmt: skip
