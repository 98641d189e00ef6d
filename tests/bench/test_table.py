"""The page says what the figures say."""

import subprocess
import sys
from xml.etree import ElementTree

from tests.architecture.sources import ROOT


def test_the_table_and_the_pictures_are_what_the_figures_say() -> None:
    asked = [sys.executable, str(ROOT / "benchmarks" / "table.py"), "--check"]

    checked = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)

    assert checked.returncode == 0, checked.stderr


def test_every_drawn_picture_can_be_read() -> None:
    drawn = [*(ROOT / "docs" / "pictures").glob("*.svg")]

    assert drawn
    assert {ElementTree.parse(picture).getroot().tag for picture in drawn} == {
        "{http://www.w3.org/2000/svg}svg"
    }
