"""Finds whatever in a message is live though we did not write it: mentions, links, markup, blanks."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from channels.slack.trees import is_record, is_rows

OURS = "https://bot.example.com/approvals"
_TOKEN = re.compile(r"<[^<>]*>")
_DATE = re.compile(r"<!date\^-?[0-9]+\^\{date_short_pretty\} \{time\}\|[0-9: -]+UTC>")
_LINK = re.compile(re.escape(f"<{OURS}") + r"(/apr_[0-9a-z]+)?\|Open the record>")
_ENTITY = re.compile(r"&(amp|lt|gt);")


def live(blocks: Sequence[object], text: str) -> list[str]:
    """Everything in a message that is live, or cannot be seen, and is none of ours."""
    found = list(_in_markup(text))
    for block in blocks:
        found += _in(block)
    return found


def _in(value: object) -> Iterator[str]:
    if is_rows(value):
        for item in value:
            yield from _in(item)
    elif is_record(value):
        yield from _in_record(value)
    elif isinstance(value, str):
        yield from (f"unseen {char!r}" for char in value if _is_unseen(char))


def _in_record(record: dict[str, object]) -> Iterator[str]:
    text = record.get("text")
    match record.get("type"):
        case "mrkdwn":
            yield from _in_markup(str(text))
            if record.get("verbatim") is not True:
                yield f"links by itself: {text!r}"
        case "plain_text" if record.get("emoji") is not False:
            yield f"makes emoji: {text!r}"
        case _:
            pass
    for name in ("url", "image_url"):
        url = record.get(name)
        if url is not None and not str(url).startswith(OURS):
            yield f"foreign {name}: {url!r}"
    for item in record.values():
        yield from _in(item)


def _in_markup(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        if not (_DATE.fullmatch(token) or _LINK.fullmatch(token)):
            yield f"live {token!r}"
    bare = _ENTITY.sub("", _TOKEN.sub("", text))
    yield from (f"bare {char!r} in {text!r}" for char in bare if char in "<>&")
    if text.count("`") % 2 and "Digest" in text:
        yield f"code span ends early: {text!r}"


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in "\n\t"
