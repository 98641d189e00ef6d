"""`signoff cases`: opened, signalled, listed, shown and resolved."""

import json

import pytest

from tests.cli.conftest import Signoff

ARRIVED = ("cases", "open", "Did order 17 arrive?", "--collected")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("open", "Did it arrive?", "--enough", "0.5"), 2),
        (("open", "Did it arrive?", "--sources", "1"), 2),
        (("open", "Did it arrive?", "--outcome", "yes"), 2),
        (("signal", "cas_none", "carrier", "yes"), 1),
        (("show", "cas_none"), 1),
        (("resolve", "cas_none", "yes", "--reason", "I looked."), 1),
    ],
)
def test_what_cannot_be_is_said(signoff: Signoff, words: tuple[str, ...], code: int) -> None:
    assert signoff("cases", *words).code == code


def test_two_sources_that_agree_make_it_final(signoff: Signoff) -> None:
    case = signoff(*ARRIVED, "--outcome", "yes", "--outcome", "no").out.strip()

    unsure = signoff("cases", "signal", case, "carrier", "perhaps")
    first = signoff("cases", "signal", case, "carrier", "yes", "--id", "event-1")
    again = signoff("cases", "signal", case, "carrier", "yes", "--id", "event-1")
    second = signoff("cases", "signal", case, "customer", "yes", "--confidence", "0.9")
    late = signoff("cases", "signal", case, "carrier", "no", "--meta", '{"seen": 1}')

    assert unsure.code == 2
    assert f"counted; {case} is resolved_provisional." in first.out
    assert f"repeated; {case} is resolved_provisional." in again.out
    assert f"counted; {case} is final: yes." in second.out
    assert f"late; {case} is final: yes." in late.out
    shown = signoff("cases", "show", case).out
    assert "decided    by consensus: carrier, customer" in shown
    assert "agreement  0.95 of 0.80, 2 reported" in shown


def test_people_resolve_what_is_in_dispute(signoff: Signoff) -> None:
    case = json.loads(signoff(*ARRIVED, "--json").out)["id"]
    signoff("cases", "signal", case, "carrier", "yes")
    signoff("cases", "signal", case, "customer", "no")

    asked = signoff("cases", "show", case)
    listed = signoff("cases", "list", "--status", "in_reconciliation", "--json")
    resolved = signoff("cases", "resolve", case, "no", "--reason", "I called them.")
    other = signoff("cases", "resolve", case, "yes", "--reason", "I called them.")

    assert "people     are asked in apr_" in asked.out
    assert case in [each["id"] for each in json.loads(listed.out)["cases"]]
    assert f"{case}: no, final." in resolved.out
    assert other.code == 3
    assert case in signoff("cases", "list").out


def test_a_case_is_closed_with_a_reason_and_says_until_when_it_waits(signoff: Signoff) -> None:
    case = signoff(*ARRIVED, "--expires-after", "7d").out.strip()

    before = signoff("cases", "show", case)
    closed = signoff("cases", "close", case, "--reason", "It was cancelled.")
    after = signoff("cases", "show", case)
    resolved = signoff("cases", "resolve", case, "yes", "--reason", "I called them.")

    assert "until      " in before.out
    assert f"{case} is closed." in closed.out
    assert "given up   by local: It was cancelled." in after.out
    assert (resolved.code, "[case_given_up]" in resolved.err) == (3, True)
    assert signoff("cases", "open", "Did it?", "--expires-after", "2y").code == 2
