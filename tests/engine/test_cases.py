"""Cases: several sources report, consensus makes an outcome final, and people decide where there is none."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from engine.errors import Conflict, Invalid, NotAllowed, NotFound
from engine.ids import DEFAULT_TENANT, PersonId
from engine.rules.wording import BadRule
from engine.services import auditing, disclosing
from engine.services.cases import Wanted
from engine.services.signals import SIGNALS_MAX
from engine.store import signals, tables
from engine.store.chains import broken_chains
from engine.store.database import Transaction
from engine.store.statements import change
from tests.engine.sources import AGENT, QUESTION, Matters, key, person
from tests.engine.stage import Stage

pytestmark = pytest.mark.anyio

APART = Wanted(title="Did order 17 arrive?")
MAJORITY = Wanted(title="Did it arrive?", collected=True, otherwise="majority", sources=3)


@pytest.fixture
def matters(stage: Stage) -> Matters:
    return Matters(stage=stage)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"source": " "}, "missing_signal_source"),
        ({"outcome": ""}, "missing_outcome"),
        ({"outcome": "perhaps"}, "unknown_outcome"),
        ({"confidence": 0.9}, "bad_confidence"),
        ({"id": " "}, "bad_signal"),
        ({"meta": {"x": "y" * 20_000}}, "bad_signal"),
    ],
)
async def test_a_signal_that_says_nothing_is_refused_and_not_kept(
    matters: Matters, said: dict[str, Any], code: str
) -> None:
    case = await matters.begin()

    with pytest.raises(Invalid) as refused:
        await matters.say(case, **{"source": "carrier", "outcome": "yes", **said})

    assert refused.value.code == code
    assert (await matters.seen(case))["signals"] == []


async def test_there_must_be_such_a_case_and_such_approvers(matters: Matters) -> None:
    with pytest.raises(NotFound):
        await matters.say("cas_none", "carrier", "yes")
    with pytest.raises(Invalid) as refused:
        await matters.begin(Wanted(title="Did it arrive?", approvers="group:nobody"))

    assert refused.value.code == "unknown_approver"


async def test_one_source_never_settles_a_matter_and_two_that_agree_do(matters: Matters) -> None:
    case = await matters.begin()

    first = await matters.say(case, "carrier", "yes")
    again = await matters.say(case, "carrier", "yes")
    second = await matters.say(case, "customer", "yes", confidence="0.9")

    assert [each["case"]["status"] for each in (first, again, second)] == [
        "resolved_provisional",
        "resolved_provisional",
        "final",
    ]
    decision = second["case"]["decision"]
    assert (decision["outcome"], decision["decided_by"]) == ("yes", "consensus")
    assert decision["who"] == ["carrier", "customer"]
    assert second["case"]["standing"]["agreement"] == "0.95"


async def test_exactly_four_of_five_is_enough_and_confidence_counts(
    matters: Matters,
) -> None:
    wanted = Wanted(title="Did it arrive?", sources=5, collected=True)
    sure, unsure = await matters.begin(wanted), await matters.begin(wanted)

    decided = await matters.all_say(sure, "yes", "yes", "no", "yes", "yes")
    for index, outcome in enumerate(["yes", "yes", "no", "yes", "yes"]):
        await matters.say(unsure, f"s{index}", outcome, confidence="0.99")

    assert (decided["status"], decided["standing"]["agreement"]) == ("final", "0.80")
    assert (await matters.seen(unsure))["status"] == "in_reconciliation"


async def test_a_repeat_changes_nothing_and_another_content_is_a_conflict(matters: Matters) -> None:
    case = await matters.begin(Wanted(title="Did it arrive?", collected=True, sources=3))
    await matters.say(case, "carrier", "yes", id="event-1")
    await matters.say(case, "carrier", "no", id="event-2")

    again = await matters.say(case, "carrier", "yes", id="event-1")
    with pytest.raises(Conflict) as refused:
        await matters.say(case, "carrier", "no", id="event-1")

    seen = await matters.seen(case)
    assert (again["counted"], again["reason"], refused.value.code) == (
        False,
        "repeated",
        "signal_conflict",
    )
    assert [(each["outcome"], each["current"]) for each in seen["signals"]] == [
        ("yes", False),
        ("no", True),
    ]
    assert seen["standing"]["leading"] == "no"


async def test_after_finality_a_signal_is_kept_as_late(matters: Matters) -> None:
    case = await matters.begin()
    await matters.all_say(case, "yes", "yes")

    late = await matters.say(case, "s0", "no")
    repeated = await matters.say(case, "s0", "no", id=late["signal"]["id"])

    assert (late["counted"], late["reason"], late["signal"]["late"]) == (False, "late", True)
    assert repeated["reason"] == "repeated"
    assert (late["case"]["outcome"], late["case"]["standing"]["leading"]) == ("yes", "yes")
    assert (await matters.told(case))[-1] == ("case.signalled_late", "final")


async def test_each_source_has_a_caller_of_its_own_unless_they_are_collected(
    matters: Matters,
) -> None:
    case = await matters.begin(APART)
    await matters.say(case, "carrier", "yes", by=key("carrier"))

    with pytest.raises(Conflict) as taken:
        await matters.say(case, "carrier", "no", by=key("forger"))
    with pytest.raises(Conflict) as alone:
        await matters.say(case, "customer", "yes", by=key("carrier"))
    decided = await matters.say(case, "customer", "yes", by=key("customer"))

    assert (taken.value.code, alone.value.code) == ("source_taken", "one_source_each")
    assert decided["case"]["status"] == "final"


async def test_a_tie_goes_to_people_and_their_answer_is_final(matters: Matters) -> None:
    case = await matters.begin()
    seen = await matters.all_say(case, "yes", "no")
    run = await matters.question(case)

    await matters.stage.vote(run, "ana", changes={"outcome": "no"})

    decided = await matters.seen(case)
    assert (seen["status"], seen["standing"]["leading"]) == ("in_reconciliation", None)
    assert (decided["status"], decided["outcome"]) == ("final", "no")
    assert decided["decision"]["decided_by"] == "people"
    assert decided["decision"]["who"] == ["ana"]
    assert (await matters.stage.picture(run)).row.status == "completed"


@pytest.mark.parametrize(
    "vote", [{"choice": "reject"}, {"choice": "approve", "changes": {"outcome": "perhaps"}}]
)
async def test_what_people_do_not_decide_is_left_to_operators(
    matters: Matters, vote: dict[str, Any]
) -> None:
    case = await matters.begin()
    await matters.all_say(case, "yes", "no")

    await matters.stage.vote(await matters.question(case), "ana", **vote)
    later = await matters.say(case, "s0", "yes", confidence="0.5")
    resolved = await matters.resolve(case, "yes", by=person("bo"))

    assert (later["case"]["status"], later["case"]["unanswered"]) == ("in_reconciliation", True)
    assert [kind for kind, _ in await matters.told(case)].count("case.unanswered") == 1
    assert (resolved["outcome"], resolved["decision"]["decided_by"]) == ("yes", "operator")


async def test_sources_that_come_to_agree_withdraw_the_question(matters: Matters) -> None:
    case = await matters.begin()
    await matters.all_say(case, "yes", "no")
    run = await matters.question(case)

    decided = await matters.say(case, "s1", "yes")

    assert (decided["case"]["status"], decided["case"]["outcome"]) == ("final", "yes")
    picture = await matters.stage.picture(run)
    assert (picture.row.status, picture.approvals[0].status) == ("cancelled", "cancelled")


async def test_what_people_have_decided_counts_before_a_signal_that_comes_later(
    matters: Matters,
) -> None:
    case = await matters.begin()
    await matters.all_say(case, "yes", "no")
    run = await matters.question(case)
    await matters.voted(run, "ana", changes={"outcome": "no"})

    late = await matters.say(case, "s1", "yes")
    await matters.stage.worker().drain()

    assert (late["reason"], late["case"]["outcome"]) == ("late", "no")
    assert [kind for kind, _ in await matters.told(case)].count("case.finalized") == 1


async def test_signals_that_contradict_each_other_for_ever_ask_people_once_and_decide_nothing(
    matters: Matters,
) -> None:
    case = await matters.begin(Wanted(title="Did it arrive?", collected=True, sources=3))
    await matters.all_say(case, "yes", "no", "maybe")
    run = await matters.question(case)

    for said in ("no", "maybe", "yes", "maybe", "yes", "no"):
        for index, source in enumerate(("s0", "s1", "s2")):
            await matters.say(case, source, said if index else "perhaps")

    seen, told = await matters.seen(case), await matters.told(case)
    assert (seen["status"], seen["outcome"]) == ("in_reconciliation", None)
    assert await matters.question(case) == run
    assert [kind for kind, _ in told].count("case.asked") == 1
    assert len(seen["signals"]) == 3 + 18


async def test_a_case_that_is_told_without_end_takes_no_more_and_people_still_decide_it(
    matters: Matters,
) -> None:
    case = await matters.begin()
    await matters.say(case, "s0", "yes", id="first")
    await matters.say(case, "s1", "no")

    def fill(tx: Transaction) -> None:
        known = signals.of_case(tx, DEFAULT_TENANT, case)
        for number in range(len(known), SIGNALS_MAX):
            more = replace(known[0], id=f"e{number}", sequence=number, is_current=False)
            signals.insert(tx, DEFAULT_TENANT, more)

    await matters.stage.database.write(fill)

    with pytest.raises(Conflict) as refused:
        await matters.say(case, "s1", "yes")
    again = await matters.say(case, "s0", "yes", id="first")
    resolved = await matters.resolve(case, "no", by=person("ana"))

    assert (refused.value.code, again["reason"]) == ("too_many_signals", "repeated")
    assert (resolved["status"], resolved["outcome"]) == ("final", "no")


async def test_nobody_who_is_involved_decides(matters: Matters) -> None:
    wanted = Wanted(title="Did it arrive?", approvers="person:ana,person:bo")
    case = await matters.begin(wanted, by=key("shop", owner="ana"))
    await matters.say(case, "carrier", "yes", by=key("carrier"))
    await matters.say(case, "customer", "no", by=person("bo"))

    seen = await matters.seen(case)

    assert (seen["question"], seen["unanswered"]) == (None, True)
    assert (await matters.told(case))[-1] == ("case.unanswered", "in_reconciliation")


async def test_who_reports_after_they_were_asked_does_not_decide_either(matters: Matters) -> None:
    case = await matters.begin(Wanted(title="Did it arrive?", approvers="person:bo"))
    await matters.say(case, "carrier", "yes", by=key("carrier"))
    await matters.say(case, "customer", "no", by=key("customer"))
    run = await matters.question(case)

    await matters.say(case, "shop", "no", by=key("shop", owner="bo"))
    await matters.stage.vote(run, "bo", changes={"outcome": "no"})

    seen = await matters.seen(case)
    assert (seen["status"], seen["unanswered"]) == ("in_reconciliation", True)


async def test_a_majority_decides_only_where_it_was_chosen_and_never_a_tie(
    matters: Matters,
) -> None:
    chosen, tied = await matters.begin(MAJORITY), await matters.begin(MAJORITY)

    decided = await matters.all_say(chosen, "yes", "no", "yes")
    asked = await matters.all_say(tied, "yes", "no", "maybe")

    assert (decided["status"], decided["decision"]["decided_by"]) == ("final", "majority")
    assert decided["decision"]["reason"] == "agreement 0.6666"
    assert asked["status"] == "in_reconciliation"
    assert asked["question"] is not None


async def test_an_operator_resolves_what_was_reported_and_nothing_else(matters: Matters) -> None:
    case = await matters.begin()
    with pytest.raises(Conflict) as early:
        await matters.resolve(case, "yes", by=person("ana"))
    await matters.say(case, "carrier", "yes")

    with pytest.raises(NotAllowed) as program:
        await matters.resolve(case, "yes", by=AGENT)
    with pytest.raises(BadRule) as unknown:
        await matters.resolve(case, "perhaps", by=person("ana"))
    resolved = await matters.resolve(case, "no", by=person("ana"))
    again = await matters.resolve(case, "no", by=person("ana"))
    with pytest.raises(Conflict) as other:
        await matters.resolve(case, "yes", by=person("ana"))

    assert [each.value.code for each in (early, program, unknown, other)] == [
        "nothing_reported",
        "people_only",
        "unknown_outcome",
        "already_final",
    ]
    assert (resolved["outcome"], again["decision"]) == ("no", resolved["decision"])


async def test_of_two_last_signals_at_once_one_makes_it_final(matters: Matters) -> None:
    case = await matters.begin(QUESTION)
    await matters.say(case, "s0", "yes")

    said = await asyncio.gather(*(matters.say(case, f"s{index}", "yes") for index in range(1, 9)))

    assert sorted(each["reason"] for each in said) == ["counted", *["late"] * 7]
    assert [kind for kind, _ in await matters.told(case)].count("case.finalized") == 1


async def test_everything_that_happens_to_a_case_is_in_the_audit_chain(matters: Matters) -> None:
    case = await matters.begin()
    await matters.all_say(case, "yes", "no")
    await matters.stage.vote(await matters.question(case), "ana")

    assert await matters.told(case) == [
        ("case.opened", "open"),
        ("case.signalled", "resolved_provisional"),
        ("case.signalled", "in_reconciliation"),
        ("case.asked", "in_reconciliation"),
        ("case.finalized", "final"),
    ]
    assert await matters.stage.database.read(lambda tx: list(broken_chains(tx))) == []


async def test_who_reported_may_be_told_what_they_reported(matters: Matters) -> None:
    case = await matters.begin(APART)
    await matters.say(case, "bo", "yes", by=person("bo"), meta={"said": "by phone"})
    await matters.say(case, "shop", "yes", by=key("shop", owner="bo"))
    await matters.say(await matters.begin(APART), "chen", "yes", by=person("chen"))

    held, _ = await matters.stage.database.read(
        lambda tx: disclosing.page(tx, DEFAULT_TENANT, PersonId("bo"), part="signal")
    )

    assert sorted((str(each["source"]), each["meta"]) for each in held) == [
        ("bo", {"said": "by phone"}),
        ("shop", {}),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "final", "outcome": "no"},
        {"outcome": "no"},
        {"settlement": "exe_1"},
        {"expires_at": None},
        {"given_up": "{}"},
    ],
)
async def test_a_row_that_was_changed_behind_its_back_is_found(
    matters: Matters, wrong: dict[str, str | None]
) -> None:
    case = await matters.begin()
    await matters.say(case, "carrier", "yes")
    untouched = await auditing.verify(matters.stage.database, DEFAULT_TENANT, trusted=[])

    await matters.stage.database.write(lambda tx: change(tx, tables.cases, {"id": case}, wrong))

    found = await auditing.verify(matters.stage.database, DEFAULT_TENANT, trusted=[])
    assert untouched.findings == []
    assert [(each.chain, case in each.says) for each in found.findings] == [("cases", True)]
