"""Where an approval is posted: routes as people write them, and the addresses they mean."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from engine.ids import PersonId
from engine.rules.approvers import is_email, is_name
from engine.rules.durations import parse_duration, say_duration
from engine.rules.wording import BadRule, is_sequence, is_table, shown

CHANNELS: Final = ("slack", "email", "webhook")
TARGETS_MAX: Final = 50
FIELD_CHARS_MAX: Final = 200

_SLACK_CHANNEL: Final = re.compile(r"#[\w-]{1,80}|[CG][A-Z0-9]{2,20}")

_TARGETS: Final = {
    "slack": '"#approvals", a channel id as in "C0123", or "dm"',
    "email": '"approvers", an address as in "ana@example.com", or a person as in "ana"',
    "webhook": 'the name of a webhook, as in "erp"',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One place to which an approval goes when it has been open for `after`."""

    channel: str
    target: str
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """All places, what each channel must `hide`, and what a card must show to be approved on."""

    routes: tuple[Route, ...]
    hide: Mapping[str, tuple[str, ...]]
    material: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The same in the shape of `signoff.toml`; `parse_routing` reads it back."""
        targets: dict[str, object] = {
            channel: [route.target for route in self.routes if route.channel == channel]
            for channel in dict.fromkeys(route.channel for route in self.routes)
        }
        after = {route.channel: say_duration(route.after) for route in self.routes if route.after}
        hide = {channel: list(fields) for channel, fields in self.hide.items()}
        return {**targets, "after": after, "hide": hide, "material": list(self.material)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """A person who is asked, and where they can be reached."""

    person: PersonId
    email: str | None
    slack: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One message to send: `person` is who alone reads it, or None where many do."""

    channel: str
    address: str
    person: PersonId | None
    after: timedelta


def parse_routing(raw: object) -> Routing:
    """The routing in `raw`, a table in the shape of `signoff.toml`; what is absent is empty.

    Raises:
        BadRule: `bad_routes`, if a channel, a target, or a key is unknown or written wrongly;
            `bad_duration` for a time in `after`.
    """
    if not is_table(raw):
        raise BadRule("bad_routes", f'{shown(raw)} is not a table as in {{"slack": ["dm"]}}.')
    for key in raw:
        if key not in {*CHANNELS, "after", "hide", "material"}:
            raise BadRule(
                "bad_routes",
                f"{shown(key)} is unknown in routes. Write {', '.join(CHANNELS)}, after, hide or "
                "material.",
            )
    after = {
        channel: _after(channel, time, raw)
        for channel, time in _by_channel(raw.get("after", {}), "after").items()
    }
    return Routing(
        routes=tuple(
            Route(channel=channel, target=target, after=after.get(channel, timedelta()))
            for channel in CHANNELS
            for target in _targets(channel, raw.get(channel, []))
        ),
        hide={
            channel: _fields(fields, f"hide.{channel}")
            for channel, fields in _by_channel(raw.get("hide", {}), "hide").items()
        },
        material=_fields(raw.get("material", []), "material"),
    )


def parse_routes(raw: object) -> tuple[Route, ...]:
    """The routes in `raw` alone, by channel and in the order they are written.

    Raises:
        BadRule: as `parse_routing` does.
    """
    return parse_routing(raw).routes


def plan(routing: Routing, approvers: Iterable[Reachable]) -> tuple[Target, ...]:
    """Every message that `routing` means for `approvers`, each address of a channel once.

    Of two routes to one address the earlier time counts, and that it is somebody's own. People
    whom a channel cannot reach are left out.
    """
    people = tuple(approvers)
    found: dict[tuple[str, str], Target] = {}
    for route in routing.routes:
        for target in _meant(route, people):
            key = (target.channel, target.address.lower())
            other = found.get(key, target)
            found[key] = Target(
                channel=other.channel,
                address=other.address,
                person=other.person or target.person,
                after=min(other.after, target.after),
            )
    return tuple(found.values())


def _meant(route: Route, people: Iterable[Reachable]) -> list[Target]:
    def to(address: str, person: PersonId | None) -> Target:
        return Target(channel=route.channel, address=address, person=person, after=route.after)

    if route.channel == "slack" and route.target == "dm":
        return [to(each.slack, each.person) for each in people if each.slack]
    if route.channel == "email" and "@" not in route.target:
        everybody = route.target == "approvers"
        return [
            to(each.email, each.person)
            for each in people
            if each.email and (everybody or each.person == route.target)
        ]
    if route.channel == "email":
        return [to(route.target, _owner(route.target, people))]
    return [to(route.target, None)]


def _owner(email: str, people: Iterable[Reachable]) -> PersonId | None:
    owners = (each.person for each in people if each.email and each.email.lower() == email)
    return next(owners, None)


def _targets(channel: str, raw: object) -> tuple[str, ...]:
    if not is_sequence(raw) or len(raw) > TARGETS_MAX:
        raise BadRule(
            "bad_routes",
            f"{channel} is {shown(raw)}. Write a list of at most {TARGETS_MAX}: "
            f"{_TARGETS[channel]}.",
        )
    return tuple(dict.fromkeys(_target(channel, target) for target in raw))


def _target(channel: str, raw: object) -> str:
    if isinstance(raw, str):
        text = raw.lower() if channel == "email" and raw.isascii() else raw
        if _is_target(channel, text):
            return text
    raise BadRule("bad_routes", f"{channel} cannot go to {shown(raw)}. Write {_TARGETS[channel]}.")


def _is_target(channel: str, text: str) -> bool:
    if channel == "slack":
        return text == "dm" or _SLACK_CHANNEL.fullmatch(text) is not None
    return is_name(text) or (channel == "email" and is_email(text))


def _by_channel(raw: object, what: str) -> dict[str, object]:
    if not is_table(raw):
        raise BadRule("bad_routes", f"{what} is {shown(raw)}. Write a table by channel.")
    for key in raw:
        if key not in CHANNELS:
            raise BadRule("bad_routes", f"{what} names {shown(key)}. Write {', '.join(CHANNELS)}.")
    return {channel: raw[channel] for channel in CHANNELS if channel in raw}


def _after(channel: str, time: object, routes: Mapping[object, object]) -> timedelta:
    if not routes.get(channel):
        raise BadRule(
            "bad_routes", f"after.{channel} waits for nothing. Add a route for {channel} first."
        )
    if not isinstance(time, str):
        raise BadRule("bad_routes", f"after.{channel} is {shown(time)}. Write it as in 10m.")
    return parse_duration(time)


def _fields(raw: object, what: str) -> tuple[str, ...]:
    fields = [name for name in raw if _is_field(name)] if is_sequence(raw) else []
    if not is_sequence(raw) or len(fields) < len(raw):
        raise BadRule("bad_routes", f"{what} is {shown(raw)}. Write a list of the names of fields.")
    return tuple(dict.fromkeys(str(name) for name in fields))


def _is_field(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= FIELD_CHARS_MAX
