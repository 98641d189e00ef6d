"""The files the pages load: unchanged releases, nothing inline, colours everybody can read."""

import re
from hashlib import sha256

import pytest

from bot.web.rendering import STATIC

VENDOR = STATIC / "vendor"
TOKEN = re.compile(r"--([a-z-]+): (#[0-9a-f]{6})")
LIGHT, DARK = (
    dict(TOKEN.findall(block))
    for block in (STATIC / "signoff.css").read_text().split("prefers-color-scheme: dark", 1)
)
PAIRS = [
    *((text, ground) for text in ("ink", "muted", "link") for ground in ("ground", "card")),
    *((tone, f"{tone}-tint") for tone in ("good", "bad", "warn", "wait", "calm")),
    *((tone, "card") for tone in ("good", "bad", "warn", "wait", "calm")),
    *(
        (text, f"{tone}-tint")
        for text in ("ink", "link")
        for tone in ("good", "bad", "warn", "wait", "calm")
    ),
    ("on-approve", "approve"),
    ("on-approve", "approve-over"),
    ("muted", "sunk"),
    ("ink", "sunk"),
]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(theme: dict[str, str], text: str, ground: str) -> None:
    assert contrast(theme[text], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_focus_can_be_seen(theme: dict[str, str]) -> None:
    assert contrast(theme["focus"], theme["ground"]) >= 3
    assert contrast(theme["focus"], theme["card"]) >= 3


def test_vendored_files_are_the_released_ones() -> None:
    listed = re.findall(
        r"\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", (VENDOR / "VENDOR.md").read_text()
    )
    present = {path.name for path in VENDOR.iterdir() if path.suffix in {".js", ".css"}}

    assert {name for name, _ in listed} == present
    assert {name: sha256((VENDOR / name).read_bytes()).hexdigest() for name, _ in listed} == dict(
        listed
    )


def test_our_own_files_need_nothing_from_elsewhere() -> None:
    own = [path.read_text() for path in STATIC.iterdir() if path.suffix in {".js", ".css"}]

    assert [text for text in own if re.search(r"https?://|@import|\beval\(|innerHTML", text)] == []
