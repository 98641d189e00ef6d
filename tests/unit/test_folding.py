"""What is not read of an entry changes nothing of what it says."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.clock import iso, iso_of, micros
from engine.digest import canonical
from engine.rules.changes import apply, certain
from engine.rules.edges import RUN_EDGES
from engine.rules.folding import Folded
from engine.rules.states import ImpossibleChange, RunShape, RunStatus, WaitingReason

DIGEST = "sha256:" + "0" * 64
KINDS = sorted({edge.entry_kind for edge in RUN_EDGES})
SHAPES = [
    RunShape(status=status, reason=reason)
    for status in RunStatus
    for reason in (None, *WaitingReason)
]


@pytest.mark.parametrize(
    "content",
    [
        {"title": "Go on?"},
        {"title": 'x","content":{"a":1},"digest":"sha256:1"'},
        {"title": '{"approval":"apr_2","content":{"digest":"sha256:1"},"digest":"sha256:2"}'},
        {"details": {"a": {"b": 1}, "digest": "sha256:1"}, "title": "}"},
        {"details": {"content": {"x": "\\"}, "digest": {"digest": "sha256:1"}}},
        {},
    ],
)
def test_whatever_was_asked_an_opening_says_the_same(content: dict[str, object]) -> None:
    said = {"approval": "apr_1", "content": content, "digest": DIGEST, "version": 3}
    other = {"excluded": ['},"digest":"sha256:'], "requester": "person:ana", "to": "running"}
    folded = Folded()
    folded.shape = RunShape(status=RunStatus.RUNNING)

    folded.take(4, "approval.opened", canonical({**said, **other}).decode(), path="1")

    (approval,) = folded.approvals.values()
    assert list(folded.approvals) == ["apr_1"]
    assert (approval.version, approval.digest) == (3, DIGEST)
    assert (folded.shape, folded.wrong) == (RunShape(status=RunStatus.RUNNING), [])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_certain_is_so_whatever_the_data_say(kind: str) -> None:
    for shape in (None, *SHAPES):
        known = certain(shape, kind)
        for data in ({}, {"to": "running"}, {"parent": "run_1", "to": "rolling_back"}):
            if known is not None:
                assert apply(shape, kind, data) == known


def test_what_cannot_happen_is_never_certain() -> None:
    assert certain(RunShape(status=RunStatus.COMPLETED), "run.started") is None
    with pytest.raises(ImpossibleChange):
        apply(RunShape(status=RunStatus.COMPLETED), "run.started", {})


@pytest.mark.parametrize("seconds", [-62_000_000_000, -1, 0, 1, 1_763_761_234, 250_000_000_000])
@pytest.mark.parametrize("rest", [0, 1, 120_000, 999_999])
def test_moments_are_spelled_as_they_were_written(seconds: int, rest: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=rest)

    assert iso_of(micros(moment)) == iso_of(moment) == iso(moment)


@pytest.mark.parametrize("odd", [10**30, -(10**30)])
def test_a_moment_that_no_clock_has_is_spelled_as_it_stands(odd: int) -> None:
    assert iso_of(odd) == str(odd)
