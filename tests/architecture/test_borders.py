"""Nothing is silenced, swallowed, pretended or left for later."""

from pathlib import Path

import pytest

from tests.architecture.sources import ROOMS, modules, offences, templates, texts

OURS = modules(*ROOMS)
TESTS = modules("tests")

# Each pattern is written so that it does not find itself.
FORBIDDEN = [
    pytest.param(
        OURS + TESTS, r"except (Base)?Exception\b(?!.*# border: \w)", id="swallowed errors"
    ),
    pytest.param(OURS + TESTS, r"except\s*:", id="bare except"),
    pytest.param(
        OURS + TESTS, r"type:\s*ignore|#\s*noqa|pragma:\s*no|pyright:\s", id="silenced checks"
    ),
    pytest.param(
        OURS + TESTS + templates(), r"\bTOD[O]\b|\bFIXM[E]\b|\bXX[X]\b", id="left for later"
    ),
    pytest.param(OURS, r"\bNotImplemented(Error)?\b", id="not there yet"),
    pytest.param(OURS, r"^\s*assert\s", id="asserts that -O removes"),
    pytest.param(TESTS, r"monkeypatch\.(setattr|delattr|setitem)|MagicMoc[k]", id="patched code"),
    pytest.param(TESTS, r"pytest\.mark\.(skip|xfail)", id="skipped tests"),
    pytest.param(TESTS, r"\bsleep\((?!0\)|timedelta|self|max)\d", id="sleeping tests"),
    pytest.param(texts(), r"/wor[k]/|/roo[t]/", id="paths of one machine"),
    pytest.param(
        texts(), r"pyp[i]\.org|pythonhoste[d]|registry\.np[m]js|yarnpk[g]", id="registries"
    ),
    pytest.param(texts(), r"^(<{7}|>{7}|={7})( |$)", id="half-merged files"),
]


@pytest.mark.parametrize(("paths", "pattern"), FORBIDDEN)
def test_there_are_no(paths: list[Path], pattern: str) -> None:
    assert offences(paths, pattern) == []
