"""What `signoff` says to words that are typed in this process."""

import sys
from collections.abc import Mapping, Sequence

import pytest
from typer.testing import CliRunner

from bot.cli.verbs import command


def typed(words: Sequence[str], environment: Mapping[str, str | None]) -> tuple[int, str, str]:
    """The exit code of `signoff words…` in that environment, and what it said on stdout and on stderr."""
    with CliRunner(env=environment).isolation() as (out, err, _both):
        with pytest.raises(SystemExit) as ended:
            command.main(words, prog_name="signoff")
        sys.stdout.flush()
        sys.stderr.flush()
        code = ended.value.code
        assert isinstance(code, int)
        return code, out.getvalue().decode(), err.getvalue().decode()
