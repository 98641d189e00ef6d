"""Slack's mrkdwn as safe HTML, and the list of everything in a text that is live."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.demo.slack.dates import shown_date, zone

_HELD: Final = re.compile("\ue000(\\d+)\ue001")
_FENCE: Final = re.compile(r"```(.+?)```", re.DOTALL)
_CODE: Final = re.compile(r"`([^`\n]+)`")
_CONTROL: Final = re.compile(r"<([^<>\n]+)>")
_BARE: Final = re.compile(r"https?://[^\s<>|\ue000]+")
_STYLES: Final = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), "b"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), "i"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), "s"),
)
_QUOTE: Final = re.compile(r"(?:^&gt; ?.*(?:\n|$))+", re.MULTILINE)
_EMOJI: Final = {
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "x": "❌",
    "warning": "⚠️",
    "no_entry": "⛔",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "alarm_clock": "⏰",
    "bell": "🔔",
    "lock": "🔒",
    "memo": "📝",
    "pencil2": "✏️",
    "eyes": "👀",
    "rewind": "⏪",
    "leftwards_arrow_with_hook": "↩️",
    "arrows_counterclockwise": "🔄",
    "rotating_light": "🚨",
    "octagonal_sign": "🛑",
    "robot_face": "🤖",
    "bust_in_silhouette": "👤",
    "busts_in_silhouette": "👥",
    "moneybag": "💰",
    "inbox_tray": "📥",
    "speech_balloon": "💬",
    "fast_forward": "⏩",
    "clock3": "🕒",
}


@dataclass(frozen=True, slots=True)
class Html:
    """HTML that is safe as it stands; templates do not escape it again."""

    source: str

    def __html__(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, and what names they know."""

    now: datetime
    timezone: str = "UTC"
    names: Mapping[str, str] = field(default_factory=dict[str, str])


def live_parts(source: str) -> list[str]:
    """Every mention, link and date in a mrkdwn text: what escaping must have made inert."""
    return [found[0] for found in _CONTROL.finditer(_without_code(source))]


def mrkdwn(source: str, reader: Reader, *, verbatim: bool = False) -> Html:
    """`source` as Slack would show it to `reader`; whatever it holds, the HTML is safe."""
    held: list[str] = []

    def hold(rendered: str) -> str:
        held.append(rendered)
        return f"\ue000{len(held) - 1}\ue001"

    text = re.sub("[\ue000\ue001]", "", source)
    text = _FENCE.sub(lambda m: hold(f"<pre>{_literal(m[1].strip())}</pre>"), text)
    text = _CODE.sub(lambda m: hold(f"<code>{_literal(m[1])}</code>"), text)
    text = _CONTROL.sub(lambda m: hold(_control(m[1], reader)), text)
    if not verbatim:
        text = _BARE.sub(lambda m: hold(_link(m[0], m[0])), text)
    text = _lines(_styled(_literal(text)), hold)
    while _HELD.search(text):
        text = _HELD.sub(lambda m: held[int(m[1])], text)
    return Html(text)


def plain(source: str, *, emoji: bool = True) -> Html:
    """A `plain_text` as Slack would show it: nothing in it is live but its emoji."""
    text = html.escape(source)
    return Html((_with_emoji(text) if emoji else text).replace("\n", "<br>"))


def _without_code(source: str) -> str:
    return _CODE.sub("", _FENCE.sub("", source))


def _literal(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return html.escape(text)


def _control(inside: str, reader: Reader) -> str:
    target, _, label = inside.partition("|")
    kind, name = target[:1], target[1:]
    match kind:
        case "@":
            shown = f"@{reader.names.get(name, label or name)}"
        case "#":
            shown = f"#{reader.names.get(name, label or name)}"
        case "!" if name.startswith("date^"):
            return f"<time>{_date(name, label, reader)}</time>"
        case "!":
            shown = f"@{label or name.partition('^')[0]}"
        case _:
            return _link(target, label or target)
    return f'<span class="mention">{html.escape(shown)}</span>'


def _date(name: str, fallback: str, reader: Reader) -> str:
    parts = name.split("^")
    if len(parts) < 3 or not re.fullmatch(r"\d{1,11}", parts[1]):
        return _literal(fallback)
    shown = shown_date(int(parts[1]), parts[2], now=reader.now, where=zone(reader.timezone))
    return html.escape(shown)


def _link(target: str, label: str) -> str:
    if not re.match(r"(https?|mailto):", target):
        return _literal(f"<{target}>")
    href = _literal(target)
    return f'<a href="{href}" target="_blank" rel="noopener noreferrer">{_literal(label)}</a>'


def _styled(text: str) -> str:
    for pattern, tag in _STYLES:
        text = pattern.sub(rf"<{tag}>\1</{tag}>", text)
    return _with_emoji(text)


def _with_emoji(text: str) -> str:
    return re.sub(r":([a-z0-9_+-]+):", lambda m: _EMOJI.get(m[1], m[0]), text)


def _lines(text: str, hold: Callable[[str], str]) -> str:
    def quote(found: re.Match[str]) -> str:
        lines = [line.removeprefix("&gt;").strip() for line in found[0].splitlines()]
        return hold(f"<blockquote>{'<br>'.join(lines)}</blockquote>")

    return _QUOTE.sub(quote, text).replace("\n", "<br>")
