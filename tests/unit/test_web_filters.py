"""What templates say about moments, people and states."""

from datetime import UTC, datetime

import pytest

from bot.web import filters, moments

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEOPLE = {"ana": "Ana Diaz", "bo": "Bo Chen"}


def test_a_moment_is_written_in_utc_for_eyes_and_machines() -> None:
    assert moments.moment("2026-11-20T14:05:09.123456+02:00") == (
        '<time datetime="2026-11-20T12:05:09Z" data-moment>20 Nov 2026, 12:05 UTC</time>'
    )
    assert moments.moment(None) == "—"


@pytest.mark.parametrize(
    ("then", "text"),
    [
        ("2026-11-20T11:59:30Z", ">just now<"),
        ("2026-11-20T12:10:00Z", ">just now<"),
        ("2026-11-20T11:48:00Z", ">12\u00a0min ago<"),
        ("2026-11-20T09:59:00Z", ">2\u00a0h ago<"),
        ("2026-11-17T12:00:00Z", ">3\u00a0d ago<"),
    ],
)
def test_ago(then: str, text: str) -> None:
    assert text in str(moments.ago(then, NOW))


@pytest.mark.parametrize(
    ("then", "text"),
    [
        (None, "no deadline"),
        ("2026-11-20T12:00:00Z", "time is up"),
        ("2026-11-20T12:00:59Z", "59\u00a0s left"),
        ("2026-11-20T15:12:00Z", "3\u00a0h 12\u00a0min left"),
        ("2026-11-21T12:00:30Z", "1\u00a0d left"),
    ],
)
def test_countdown(then: str | None, text: str) -> None:
    assert text in str(moments.countdown(then, NOW))


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        (None, "—"),
        ("2026-11-20T12:00:00.412Z", "412 ms"),
        ("2026-11-20T12:00:09.5Z", "9 500 ms"),
        ("2026-11-20T12:01:05Z", "1\u00a0min 5\u00a0s"),
    ],
)
def test_duration(ended: str | None, text: str) -> None:
    assert moments.duration(NOW, ended) == text


def test_a_digest_is_shown_by_its_first_twelve_characters() -> None:
    assert filters.short_digest("sha256:3f9a12c4b7e08d51") == "3f9a12c4b7e0"
    assert filters.short_digest(None) == "—"


def test_json_shows_what_hides() -> None:
    assert filters.pretty_json({"b": "\u202ea"}) == '{\n  "b": "⟨U+202E⟩a"\n}'


def test_every_field_is_a_fact_in_its_own_order() -> None:
    shown = filters.facts({"b": "two\nlines", "a": True, "n": None, "l": [1]})

    assert [(fact.label, fact.text, fact.is_block) for fact in shown] == [
        ("b", "two\nlines", True),
        ("a", "yes", False),
        ("n", "—", False),
        ("l", "[\n  1\n]", True),
    ]


@pytest.mark.parametrize(
    ("persons", "text"),
    [
        ([], ""),
        (["ana"], "Ana Diaz"),
        (["person:ana", "bo"], "Ana Diaz and Bo Chen"),
        (["ana", "bo", "eve"], "Ana Diaz, Bo Chen and eve"),
    ],
)
def test_names(persons: list[str], text: str) -> None:
    assert filters.names(persons, PEOPLE) == text


@pytest.mark.parametrize(
    ("status", "by", "text"),
    [
        ("approved", ["ana", "bo"], "Approved by Ana Diaz and Bo Chen."),
        ("approved", [], "Approved by the rung “hold after 1h”."),
        ("rejected", ["bo"], "Rejected by Bo Chen."),
        ("expired", [], "Time ran out: ended by the rung “hold after 1h”."),
        ("changes_requested", ["ana"], "Ana Diaz asked for changes."),
        ("cancelled", [], "Cancelled: no decision is needed any more."),
        ("open", [], "Open."),
    ],
)
def test_outcome(status: str, by: list[str], text: str) -> None:
    decision = {"by": by, "rule": "rung: hold after 1h"}

    assert filters.outcome({"status": status, "decision": decision}, PEOPLE) == text


def test_an_ending_without_a_rung_is_said_plainly() -> None:
    plain = {"rule": "quorum"}

    assert filters.outcome({"status": "approved", "decision": plain}, {}) == "Approved by a rule."
    assert filters.outcome({"status": "expired", "decision": None}, {}) == (
        "Expired: nobody decided in time."
    )
    assert filters.outcome({"status": "expired", "decision": {"outcome": "continued"}}, {}) == (
        "Time ran out: it went on with the default."
    )


def test_an_answer_is_that_of_the_person_who_looks() -> None:
    votes = [{"person": "ana", "choice": "reject", "counted": True}]

    assert filters.answer_of({"votes": votes}, {"id": "ana"}) == "reject"
    assert filters.answer_of({"votes": votes}, {"id": "bo"}) is None
    assert filters.answer_of({"votes": votes}, None) is None


def test_progress_has_a_line_for_all_or_one_for_each_group() -> None:
    both = {"have": 1, "need": 2}
    groups = [{"name": "security", "have": 0, "need": 1}, {"name": "all", "have": 3, "need": 40}]

    (everybody,) = filters.progress({"progress": {"approve": both, "groups": []}})
    security, many = filters.progress({"progress": {"approve": both, "groups": groups}})

    assert (everybody.text, everybody.pips) == ("1 of 2 approvals", [True, False])
    assert (security.label, security.text) == ("security", "0 of 1 approval")
    assert many.pips == []


def test_only_answers_that_count_are_said() -> None:
    votes = [
        {"person": "ana", "choice": "approve", "counted": True},
        {"person": "eve", "choice": "approve", "counted": False},
        {"person": "bo", "choice": "reject", "counted": True},
    ]

    assert filters.said({"votes": votes}, "approve") == ["ana"]


def test_a_state_nobody_described_is_still_a_word_and_a_picture() -> None:
    assert filters.chip("half_done") == filters.Chip(word="Half done", icon="dot", tone="calm")
    assert filters.chip("high") == filters.Chip(word="High risk", icon="high", tone="bad")


def test_a_run_says_why_it_waits() -> None:
    assert filters.waiting({"waiting_for": {"reason": "halted"}}) == (
        "A kill switch above it is engaged."
    )
    assert filters.waiting({"waiting_for": {"reason": "tea"}}) == "It waits: tea."
    assert filters.waiting({"waiting_for": None}) == ""
