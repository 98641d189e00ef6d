"""Nobody is two people, and no name of the configuration reaches beyond its line."""

from pathlib import Path

import pytest

from bot.config.reading import read
from engine.errors import EngineError

ANA = '[people.ana]\nname="A"\nemail="ana@x.example"\n'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'{ANA}[people.b]\nname="B"\nemail="ana+2@x.example"', id="plus"),
        pytest.param(f'{ANA}[people.b]\nname="B"\nemail="ANA@x.example"', id="case"),
        pytest.param('[people.ana]\nname="A"\nslack="T1A/U1A"\n[people.b]\nname="B"\nslack="T1A/U1A"', id="slack"),
        pytest.param('[people."a\\nb"]\nname="A"', id="a line in an id"),
        pytest.param('[people.ana]\nname="A\\nAdmin"', id="a line in a name"),
        pytest.param('[people.ana]\nname="A\\u001b[2J"', id="a terminal's escape"),
        pytest.param('[people.ana]\nname="A\\u202e"', id="right to left"),
        pytest.param('[people.ana]\nname="A"\nemail="a@x.example\\r\\nBcc: e@x.example"', id="a header"),
        pytest.param('[people.ana]\nname="A"\n[groups."f\\n"]\nmembers=["ana"]', id="a line in a group"),
    ],
)  # fmt: skip
def test_what_could_deceive_is_refused_when_it_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "signoff.toml"
    file.write_text(text)

    with pytest.raises(EngineError):
        read(file)
