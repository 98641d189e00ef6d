"""What a `traceparent` says, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.threads import is_kept, parse_traceparent, thread_from, trace_id

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param(f"00-{TRACE}-{SPAN}", id="no flags"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="a version that is never used"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="no trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="no span"),
        pytest.param(f"00-{TRACE.upper()}-{SPAN}-01", id="capitals"),
        pytest.param(f"00-{TRACE}-{SPAN}-01-more", id="more than version 0 has"),
        pytest.param(f"00-{TRACE}-{SPAN}-01\r\nx: y", id="another header"),
    ],
)
def test_what_is_no_traceparent_is_as_if_it_were_not_there(header: str | None) -> None:
    assert parse_traceparent(header) is None
    assert thread_from(header, run="run_1", share=None) is None
    own = thread_from(header, run="run_1", share=1.0)
    assert own is not None
    assert (own.trace, own.parent, own.is_sampled) == (trace_id("run_1"), None, True)


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", True, id="kept"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", False, id="not kept"),
        pytest.param(f"00-{TRACE}-{SPAN}-03", True, id="flags of others"),
        pytest.param(f"01-{TRACE}-{SPAN}-01-more", True, id="a later version"),
    ],
)
def test_a_traceparent_is_understood(header: str, *, sampled: bool) -> None:
    found = parse_traceparent(header)

    assert found is not None
    assert (found.trace, found.parent, found.is_sampled) == (TRACE, SPAN, sampled)
    assert parse_traceparent(found.traceparent(SPAN)) == found


@given(st.text(min_size=1), st.floats(0, 1))
def test_everybody_keeps_the_same_share(run: str, share: float) -> None:
    trace = trace_id(run)

    assert is_kept(trace, 1.0)
    assert not is_kept(trace, 0.0)
    assert not is_kept(trace, share) or is_kept(trace, (1 + share) / 2)
