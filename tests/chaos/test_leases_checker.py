"""The checker finds two drivers of one run, and calls and entries of somebody who did not hold it."""

from dataclasses import replace

import pytest

from bot.chaos.checker import leases, stops, world
from bot.chaos.checker.book import Book
from bot.chaos.checker.leases import AT_ONCE, Change, Drives, Frozen, Switched, Written
from bot.chaos.checker.violations import Effect, Shown
from bot.chaos.nemesis import Death
from bot.chaos.report import takeovers

LEASE = 3_000_000
CLAIM = Change(
    number=1, run="run_1", before=None, token="l1", until=None, who="a.1", transaction="10",
    now=0, at=0,
)  # fmt: skip
TAKEN = Change(
    number=5, run="run_1", before="l1", token="l2", until=LEASE, who="b.1", transaction="20",
    now=LEASE, at=LEASE,
)  # fmt: skip
ENTRY = Written(number=2, run="run_1", position=1, kind="step.begun", who="a.1", transaction="11")
CALL = Effect(request="run_1:0", name="pay", args=("x",), who="a.1", at=LEASE - 1)
SOUND = Drives(changes=[CLAIM, TAKEN], written=[ENTRY])
FROZEN = Frozen(who="a.1", since=LEASE - 10, until=LEASE * 3)


def entries(drives: Drives) -> list[str]:
    return list(leases.foreign_entries(drives))


def test_what_is_sound_is_left_alone() -> None:
    late = replace(ENTRY, number=6, who="b.1", transaction="21")

    assert list(leases.wrongly_given(SOUND)) == []
    assert entries(replace(SOUND, written=[ENTRY, late])) == []
    assert list(leases.foreign_calls(SOUND, [CALL])) == []
    assert list(leases.repeated(SOUND, [CALL, replace(CALL, who="b.1")], {})) == []


def test_a_lease_that_is_given_while_another_runs_is_found() -> None:
    early = replace(TAKEN, now=LEASE - 1)

    [line] = leases.wrongly_given(Drives(changes=[CLAIM, early]))

    assert line == "I4: run run_1 was given to b.1 while another lease ran"


def test_a_token_that_is_given_twice_is_found() -> None:
    again = replace(TAKEN, token="l1")

    assert "I4: the lease l1 was given twice" in leases.wrongly_given(
        Drives(changes=[CLAIM, again])
    )


def test_a_lease_that_changes_unseen_is_found() -> None:
    [line] = leases.wrongly_given(Drives(changes=[CLAIM, replace(TAKEN, before="l9")]))

    assert line == "I4: run run_1 lost the lease l1 unseen"


def test_an_entry_of_whoever_does_not_hold_the_run_is_found() -> None:
    stale = replace(ENTRY, number=6, transaction="12")

    assert entries(replace(SOUND, written=[stale])) == [
        "I4: step.begun at position 1 of run_1 was written by a.1, which did not hold it"
    ]
    assert entries(replace(SOUND, written=[replace(stale, kind="vote.recorded")])) == []


def test_an_entry_in_the_transaction_that_gives_the_lease_back_is_the_holders() -> None:
    back = replace(TAKEN, token=None, who="a.1", number=2, transaction="11")

    assert entries(Drives(changes=[CLAIM, back], written=[replace(ENTRY, number=3)])) == []


def test_a_call_long_after_the_lease_is_found_unless_its_caller_slept() -> None:
    stale = replace(CALL, at=LEASE * 3 + 1)

    assert list(leases.foreign_calls(SOUND, [stale])) == [
        "I4: run_1:0 was done by a.1, which did not hold the run"
    ]
    asleep = replace(SOUND, frozen=[FROZEN])
    assert list(leases.foreign_calls(asleep, [stale])) == []
    assert list(leases.late_calls(asleep, [stale])) == [stale]
    later = replace(stale, at=FROZEN.until + AT_ONCE + 1)
    assert list(leases.foreign_calls(asleep, [later])) != []


def test_a_call_of_whoever_never_held_the_run_is_found() -> None:
    assert list(leases.foreign_calls(SOUND, [replace(CALL, who="c.1")])) != []


def test_more_calls_than_leases_are_found() -> None:
    calls = [replace(CALL, at=at) for at in (1, 2, 3)]

    assert list(leases.repeated(SOUND, calls, {})) == ["I3: run_1:0 was done 3 times over 2 leases"]
    assert list(leases.repeated(SOUND, calls, {"run_1:0": 1})) == []


def test_messages_without_a_try_or_an_arrival_are_found() -> None:
    outbox = {"id": "dlv_1", "attempts": 1, "message": "msg_1", "channel": "slack"}
    message = {"id": "msg_1", "channel": "slack", "state": "posted"}
    book = Book({"outbox": [outbox], "messages": [message], "approvals": []})
    shown = Shown(key="dlv_1", approval="apr_1", address="desk", status="open", version=1)

    assert list(world.oversent(book, [shown])) == []
    assert list(world.oversent(book, [shown, shown])) == [
        "I13: dlv_1 was sent 2 times and tried 1 times"
    ]
    assert list(world.never_arrived(book, {"slack": frozenset({"dlv_1"})})) == []
    assert list(world.never_arrived(book, {"slack": frozenset()})) == [
        "I13: message msg_1 is marked as posted and never arrived"
    ]


def test_a_button_that_outlives_its_approval_is_found() -> None:
    approval = {"id": "apr_1", "status": "approved", "decision": "null"}
    book = Book({"approvals": [approval]})

    assert list(world.still_live(book, [("room", "apr_1")])) == [
        "I14: room can still press a button of apr_1, which has ended"
    ]


def test_a_takeover_lasts_from_the_death_to_the_next_claim_while_the_database_is_there() -> None:
    death = Death(who="a.1", at=LEASE - 2_000_000)

    assert takeovers(SOUND, [death]) == [2.0]
    assert takeovers(SOUND, [death], [(LEASE - 1_500_000, LEASE - 1_000_000)]) == [1.5]
    assert takeovers(SOUND, [Death(who="b.1", at=LEASE + 1)]) == []


def halted(scope: str) -> list[str]:
    """What is said of an entry that begins a step between the engaging and the release of a switch."""
    run = {
        "id": "run_1",
        "tenant": "default",
        "workflow": "pay",
        "started_by": "key:k1",
        "parent": None,
    }
    line = {"run": "run_1", "position": 1, "kind": "step.begun", "data": "{}", "at": 0}
    switches = [
        Switched(number=number, tenant="default", scope=scope, is_engaged=number == 1)
        for number in (1, 3)
    ]
    book = Book({"runs": [run], "journal": [line]})
    return list(stops.begun_after_halt(book, replace(SOUND, switched=switches)))


@pytest.mark.parametrize("scope", ["everything", "tenant", "workflow:pay", "agent:k1", "run:run_1"])
def test_what_begins_under_a_switch_is_found_by_the_order_of_commits(scope: str) -> None:
    [line] = halted(scope)

    assert line.startswith("I15: step.begun of run_1, position 1, although the kill switch")
    assert halted(f"{scope} of others") == []


def test_a_run_that_was_set_aside_and_taken_up_is_found() -> None:
    aside = replace(ENTRY, kind="run.quarantined")
    freed = replace(ENTRY, number=4, kind="run.released")

    assert list(stops.claimed_though_set_aside(replace(SOUND, written=[aside, freed]))) == []
    assert list(stops.claimed_though_set_aside(replace(SOUND, written=[aside]))) == [
        "I20: run run_1 was set aside, and b.1 took it up"
    ]


def test_an_entry_with_a_moment_of_some_machines_own_is_found() -> None:
    true, wrong = replace(ENTRY, at=LEASE, now=LEASE + 10), replace(ENTRY, at=LEASE * 9, now=LEASE)

    assert list(leases.foreign_moments(replace(SOUND, written=[ENTRY, true]))) == []
    assert list(leases.foreign_moments(replace(SOUND, written=[wrong]))) == [
        "I21: step.begun at position 1 of run_1 has a moment +24.0 s from the database's own"
    ]
