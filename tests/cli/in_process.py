"""What `signoff` says to words that are typed in this process."""

import sys
from collections.abc import Mapping, Sequence
from functools import cache

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from bot.cli.verbs import app


def typed(words: Sequence[str], environment: Mapping[str, str | None]) -> tuple[int, str, str]:
    """The exit code of `signoff words…` in that environment, and what it said on stdout and on stderr."""
    with CliRunner(env=environment).isolation() as (out, err, _both):
        with pytest.raises(SystemExit) as ended:
            _command().main(words, prog_name="signoff")
        sys.stdout.flush()
        sys.stderr.flush()
        code = ended.value.code
        assert isinstance(code, int)
        return code, out.getvalue().decode(), err.getvalue().decode()


@cache
def _command() -> TyperGroup:
    # To put all verbs together takes longer than most of them do.
    made = get_command(app)
    assert isinstance(made, TyperGroup)
    return made
