"""A person's browser without a window: it opens a page, reads its form, and posts it from there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

from typing_extensions import override

from engine.http import plain_client


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form as it would be posted untouched: its address and its fields."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a browser shows. `form` is the first that posts, if there is one."""

    url: str
    status: int
    words: str
    form: Form | None


class NothingToPost(LookupError):
    """The page holds no form."""


class Browser:
    """One person's: it keeps cookies, follows redirects, and says where it comes from."""

    def __init__(self) -> None:
        self._client = plain_client()
        self._client.follow_redirects = True

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def open(self, url: str) -> Page:
        """The page behind `url`."""
        answer = await self._client.get(url, headers={"Sec-Fetch-Site": "none"})
        return _page(str(answer.url), answer.status_code, answer.text)

    async def submit(self, page: Page, typed: Mapping[str, str] | None = None) -> Page:
        """Post the page's form with what was `typed` in place of what it held.

        Raises:
            NothingToPost: if it has none.
        """
        if page.form is None:
            raise NothingToPost(f"{page.url} has no form ({page.status}): {page.words[:200]}")
        parts = urlsplit(page.url)
        headers = {
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "Sec-Fetch-Site": "same-origin",
            "Referer": page.url,
        }
        answer = await self._client.post(
            page.form.action, data={**page.form.fields, **(typed or {})}, headers=headers
        )
        return _page(str(answer.url), answer.status_code, answer.text)


@dataclass(slots=True)
class _Found:
    action: str
    fields: dict[str, str] = field(default_factory=dict[str, str])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Found] = []
        self.words: list[str] = []
        self._inside: _Found | None = None
        self._unseen = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag in {"script", "style"}:
            self._unseen += 1
        elif tag == "form" and has.get("method", "").lower() == "post":
            self._inside = _Found(has.get("action", ""))
            self.forms.append(self._inside)
        elif tag == "input" and self._inside is not None:
            self._keep(has, self._inside)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._unseen -= 1
        elif tag == "form":
            self._inside = None

    @override
    def handle_data(self, data: str) -> None:
        if not self._unseen and data.strip():
            self.words.append(" ".join(data.split()))

    def _keep(self, has: Mapping[str, str], form: _Found) -> None:
        chosen = has.get("type") not in {"radio", "checkbox"} or "checked" in has
        if has.get("name") and chosen:
            form.fields[has["name"]] = has.get("value", "")


def _page(url: str, status: int, html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    found = next(iter(reader.forms), None)
    form = None if found is None else Form(action=urljoin(url, found.action), fields=found.fields)
    return Page(url=url, status=status, words=" ".join(reader.words), form=form)
