"""`[retention]`: nothing is pruned by a mistake in it."""

from datetime import timedelta

import pytest

from bot.config.reading import parse
from engine.services.retaining import Terms


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("payload = 90", "write it in days"),
        ('payload = "0d"', "write it in days"),
        ('payload = "90h"', "write it in days"),
        ('audit = "400d"', "audit"),
        ('payload = "90d"\nrecord = "30d"', "kept longer"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, says: str) -> None:
    _configuration, problems = parse(f"[retention]\n{text}\n".encode())

    assert [says in problem.text for problem in problems] == [True]


def test_without_a_word_everything_is_kept() -> None:
    configuration, problems = parse(b"")

    assert (configuration.retention, problems) == (Terms(), ())
    assert configuration.retention.keep_all


def test_days_are_read_beyond_a_year() -> None:
    configuration, problems = parse(b'[retention]\npayload = "90d"\nrecord = "400d"\n')

    assert problems == ()
    assert configuration.retention == Terms(payload=timedelta(days=90), record=timedelta(days=400))
