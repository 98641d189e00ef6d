"""What a mail may consist of: exactly our headers, only our links, no markup but our own."""

import re
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from typing import Any

from typing_extensions import override

from bot.demo.mail.strictness import fields, objection
from tests.channels.email.cards import APPROVE, BASE, PAGE, REJECT, RESPOND

HEADERS = {
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type"),
    *("auto-submitted", "x-auto-response-suppress", "x-signoff-approval"),
}
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td"),
    *("span", "h1", "h2", "p", "br", "a"),
}
# What mail programs make into a link though nobody marked it up.
LINKED_BY_PROGRAMS = re.compile(
    r"(?i)\b[a-z][a-z0-9+.-]*://|(?<!\w)www\.\w|\b(?:mailto|tel|javascript|data|file|vbscript):\S"
    r"|[\w-]\.(?:[a-z]{2,}|xn--)|[\w.+-]@[\w-]|(?<!\[)\\\\\S"
    r"|(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])"
)


@dataclass
class Seen(HTMLParser):
    """What a browser makes of the HTML part."""

    elements: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    _inside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self._inside.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in {"href", "src", "action", "background"}:
                self.links.append(value or "")

    @override
    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @override
    def handle_data(self, data: str) -> None:
        if self._inside[-1:] != ["style"]:
            self.words.append(data)
        self._inside = [tag for tag in self._inside if tag != "style"]


def parsed(raw: bytes) -> EmailMessage:
    """The mail as a careful reader sees it."""
    message: Any = BytesParser(EmailMessage, policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    """The plain or the HTML part."""
    found = message.get_body((kind,))
    assert found is not None
    content = found.get_content()
    assert isinstance(content, str)
    return content


def assert_ours_alone(raw: bytes) -> None:
    """The mail holds our headers once each, our two parts, our markup and our links."""
    _assert_shape(raw, HEADERS)
    message = parsed(raw)
    links = [APPROVE, REJECT, PAGE] if APPROVE in part(message, "plain") else [RESPOND]
    _assert_html(part(message, "html"), links)
    _assert_text(part(message, "plain"), links)


def assert_a_notice(raw: bytes, *, link: str) -> None:
    """The notice holds our headers once each, our two parts, our markup and its one link."""
    _assert_shape(raw, HEADERS - {"x-signoff-approval"})
    _assert_html(part(parsed(raw), "html"), [link, link])
    _assert_text(part(parsed(raw), "plain"), [link])


def _assert_shape(raw: bytes, headers: set[str]) -> None:
    assert objection(raw, eight_bit=False, utf8=False) is None
    names = [name for name, _ in fields(raw.partition(b"\r\n\r\n")[0])]
    assert sorted(names) == sorted(headers)
    message = parsed(raw)
    assert not message.defects
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]


def _assert_html(html: str, links: list[str]) -> None:
    seen = Seen()
    seen.feed(html)
    seen.close()
    assert seen.elements <= ELEMENTS
    assert seen.links == links
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert all(comment.startswith("[if ") or comment == "<![endif]" for comment in seen.comments)
    assert len(html.encode()) < 102_000
    for words in seen.words:
        assert words in links or not LINKED_BY_PROGRAMS.search(words), ascii(words)


def _assert_text(text: str, links: list[str]) -> None:
    lines = text.splitlines()
    assert [line for line in lines if line.startswith(BASE)] == links
    for line in lines:
        assert line in links or not LINKED_BY_PROGRAMS.search(line), ascii(line)
