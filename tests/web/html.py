"""What a page is made of, as far as its rules need to know."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

VOID = {"br", "hr", "img", "input", "link", "meta"}


@dataclass
class Element:
    """One element with its attributes and the elements it stands in."""

    tag: str
    attributes: dict[str, str]
    inside: tuple["Element", ...] = field(repr=False)
    text: str = field(default="", repr=False)

    def has(self, name: str, value: str | None = None) -> bool:
        return name in self.attributes and value in (None, self.attributes[name])


@dataclass
class Page:
    """Every element of a page, in order, and whether its tags were balanced."""

    elements: list[Element] = field(default_factory=list[Element])
    unbalanced: list[str] = field(default_factory=list[str])

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def within(self, outer: Element) -> list[Element]:
        return [element for element in self.elements if outer in element.inside]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._open: list[Element] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open))
        self.page.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(self._open))
        self.page.elements.append(element)

    @override
    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1].tag == tag:
            self._open.pop()
        else:
            self.page.unbalanced.append(tag)

    @override
    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def read(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page
