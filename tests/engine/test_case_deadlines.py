"""Cases end without an outcome once their time is over, or because an operator closes them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.errors import Conflict
from engine.ids import DEFAULT_TENANT
from engine.rules.states import RunStatus
from engine.rules.wording import BadRule
from engine.runtime.once import receipts_in
from engine.services import auditing, expiring
from engine.services.cases import Wanted
from engine.store.tables import outbox
from tests.engine.sources import QUESTION, Matters, person
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

MONTH = timedelta(days=30)
DAY = timedelta(days=1)


@pytest.fixture
def matters(stage: Stage) -> Matters:
    return Matters(stage=stage)


def pay_back(_payload: object) -> str:
    return "ref_1"


async def effect(matters: Matters, case: str) -> str:
    ledger = receipts_in(matters.stage.database, DEFAULT_TENANT, by="worker:shop")
    made = await ledger.once("order-17", "refund", {}, pay_back, requires=case, outcome="no")
    return made.reason


async def is_whole(matters: Matters) -> bool:
    found = await auditing.verify(matters.stage.database, DEFAULT_TENANT, trusted=[])
    return found.findings == []


@pytest.mark.parametrize("after", ["0d", "366d", "for ever", "", 30, None])
async def test_no_case_waits_for_ever(matters: Matters, after: object) -> None:
    with pytest.raises(BadRule) as refused:
        await matters.begin(Wanted(title="Did it arrive?", expires_after=after))

    assert refused.value.code == "bad_duration"


@pytest.mark.parametrize(
    ("said", "status"), [((), "open"), (("yes",), "resolved_provisional"), (("yes", "no"), "final")]
)
async def test_what_has_no_outcome_in_time_expires_and_what_has_one_stays(
    matters: Matters, said: tuple[str, ...], status: str
) -> None:
    case = await matters.begin()
    await matters.all_say(case, *said)
    if status == "final":
        await matters.resolve(case, "no", by=person("ana"))
    await matters.stage.pass_time(MONTH - DAY)
    before = await matters.seen(case)

    await matters.stage.pass_time(DAY)

    after = await matters.seen(case)
    is_over = status != "final"
    assert (before["status"], after["status"]) == (status, "expired" if is_over else status)
    assert (after["given_up"] is not None) is is_over
    assert await effect(matters, case) == ("blocked:expired" if is_over else "executed")
    assert await is_whole(matters)


async def test_an_expired_case_asks_nobody_any_more_and_tells_operators_once(
    matters: Matters,
) -> None:
    case = await matters.begin(QUESTION)
    await matters.all_say(case, "yes", "no")
    question = await matters.question(case)

    await matters.stage.pass_time(MONTH)
    await matters.stage.pass_time(DAY)
    late = await matters.say(case, "s1", "yes")

    told = select(outbox.c.event).where(outbox.c.event == "case.expired")
    events = await matters.stage.database.read(lambda tx: tx.connection.execute(told).all())
    assert (await matters.stage.picture(question)).row.status is RunStatus.CANCELLED
    assert (late["reason"], late["case"]["status"]) == ("late", "expired")
    assert [kind for kind, _ in await matters.told(case)][-2:] == [
        "case.expired",
        "case.signalled_late",
    ]
    assert len(events) <= 1
    assert await is_whole(matters)


async def test_a_deadline_holds_before_any_worker_has_looked(matters: Matters) -> None:
    case = await matters.begin(Wanted(title="Did it arrive?", collected=True, expires_after="2h"))
    await matters.say(case, "s0", "yes")
    await matters.stage.clock.advance(timedelta(hours=2))

    late = await matters.say(case, "s1", "yes")
    with pytest.raises(Conflict) as refused:
        await matters.resolve(case, "yes", by=person("ana"))

    assert (late["reason"], late["case"]["outcome"]) == ("late", None)
    assert refused.value.code == "case_given_up"


async def test_an_answer_that_came_in_time_counts_although_nobody_took_it_up(
    matters: Matters,
) -> None:
    case = await matters.begin()
    await matters.all_say(case, "yes", "no")
    await matters.voted(await matters.question(case), "ana", changes={"outcome": "no"})
    await matters.stage.clock.advance(MONTH)

    assert await matters.stage.database.write(expiring.expire_due) == 1

    seen = await matters.seen(case)
    assert (seen["status"], seen["outcome"]) == ("final", "no")


async def test_an_operator_closes_a_case_for_good(matters: Matters) -> None:
    case, final = await matters.begin(), await matters.begin()
    await matters.all_say(case, "yes", "no")
    await matters.all_say(final, "no", "no")

    closed = await matters.close(case, by=person("ana"))
    again = await matters.close(case, by=person("bo"))
    refusals: list[str] = []
    for deed in (matters.close(final), matters.resolve(case, "yes", by=person("ana"))):
        with pytest.raises(Conflict) as refused:
            await deed
        refusals.append(refused.value.code)
    await matters.stage.pass_time(2 * MONTH)

    assert (closed["status"], closed["given_up"]["by"]) == ("closed", "person:ana")
    assert again["given_up"] == closed["given_up"]
    assert refusals == ["already_final", "case_given_up"]
    assert await effect(matters, case) == "blocked:closed"
    assert (await matters.told(case))[-1] == ("case.closed", "closed")
    assert await is_whole(matters)
