"""How two JSON values differ: what was added, removed and changed, each by its JSON pointer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """From `before` to `after`; the keys are JSON pointers (RFC 6901)."""

    added: Mapping[str, object] = field(default_factory=dict[str, object])
    removed: Mapping[str, object] = field(default_factory=dict[str, object])
    changed: Mapping[str, tuple[object, object]] = field(
        default_factory=dict[str, tuple[object, object]]
    )

    def to_json(self) -> dict[str, object]:
        """The difference as the API shows it."""
        return {
            "added": dict(self.added),
            "removed": dict(self.removed),
            "changed": {
                at: {"from": before, "to": after} for at, (before, after) in self.changed.items()
            },
        }


def difference(before: object, after: object) -> Difference:
    """What leads from `before` to `after`; lists are compared place by place."""
    was, now = dict(_leaves(before, "")), dict(_leaves(after, ""))
    return Difference(
        added={at: value for at, value in now.items() if at not in was},
        removed={at: value for at, value in was.items() if at not in now},
        changed={
            at: (was[at], now[at])
            for at in was
            if at in now and (type(was[at]) is not type(now[at]) or was[at] != now[at])
        },
    )


def _leaves(value: object, at: str) -> Iterator[tuple[str, object]]:
    if _is_object(value) and value:
        for key, each in value.items():
            yield from _leaves(each, f"{at}/{_escaped(key)}")
    elif _is_array(value) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{at}/{number}")
    else:
        yield at, value


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
