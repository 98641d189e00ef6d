"""How many people must agree and how many may stop it: written, checked, frozen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from engine.ids import PersonId
from engine.rules.approvers import is_name
from engine.rules.matching import fill
from engine.rules.wording import BadRule, is_sequence, is_table, is_whole, shown

QuorumSpec = int | Literal["all", "majority"] | Mapping[str, int]

GROUPS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """The numbers an approval was opened with; they no longer change.

    Either `need` counts people, or `groups` says how many of each group, by name; never both.
    """

    need: int | None
    groups: tuple[tuple[str, int], ...]
    reject: int

    @property
    def places(self) -> int:
        """How many people have to agree in all."""
        return self.need if self.need is not None else sum(need for _, need in self.groups)

    def to_json(self) -> dict[str, object]:
        """The same as JSON."""
        return {
            "need": self.need,
            "groups": [[name, need] for name, need in self.groups],
            "reject": self.reject,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> "Quorum":
        """What `to_json` gave.

        Raises:
            BadRule: `bad_quorum`, if it is anything else.
        """
        groups, written = data.get("groups"), data.get("need")
        if not is_sequence(groups) or (written is None) == (not groups):
            raise BadRule("bad_quorum", f"{shown(data)} is not a stored quorum. Ask again.")
        return cls(
            need=None if written is None else _at_least_one(written, "stored quorum"),
            groups=tuple(_stored_group(group) for group in groups),
            reject=_at_least_one(data.get("reject"), "stored reject quorum"),
        )


def parse_quorum(raw: object) -> QuorumSpec:
    """The quorum as somebody wrote it: a number, "all", "majority", or a number per group.

    Raises:
        BadRule: `bad_quorum`, if it is anything else, below 1, or names more than 20 groups.
    """
    if is_whole(raw):
        return _at_least_one(raw, "quorum")
    if raw == "all":
        return "all"
    if raw == "majority":
        return "majority"
    if is_table(raw) and 0 < len(raw) <= GROUPS_MAX:
        return {
            name: _at_least_one(need, f"quorum of group {name}")
            for name, need in ((_group_name(key), value) for key, value in raw.items())
        }
    raise BadRule(
        "bad_quorum",
        f'{shown(raw)} is not a quorum. Write a number, "all", "majority", or up to {GROUPS_MAX} '
        'groups with a number each, as in {"security": 1, "release": 2}.',
    )


def freeze(
    spec: QuorumSpec,
    *,
    eligible_count: int,
    reject_quorum: int | None,
    groups: Mapping[str, int],
    members: Mapping[str, Collection[PersonId]] | None = None,
) -> Quorum:
    """The numbers that `spec` means today, after making sure that they can be reached.

    `groups` says how many eligible people each group has, and `members` who they are. Without
    `members`, groups that share people are only checked by counting. A majority is more than half.
    `reject_quorum` is 1 unless said.

    Raises:
        BadRule: `bad_quorum`, if the eligible people can never agree, or never stop it.
    """
    if eligible_count < 1:
        raise BadRule("bad_quorum", "Nobody is eligible. Name approvers besides the requester.")
    reject = 1 if reject_quorum is None else _at_least_one(reject_quorum, "reject_quorum")
    _refuse_above(reject, eligible_count, "reject_quorum")
    if isinstance(spec, Mapping):
        slots = {
            name: _at_least_one(spec[name], f"quorum of group {name}") for name in sorted(spec)
        }
        _refuse_unfillable(slots, eligible_count, groups, members)
        return Quorum(need=None, groups=tuple(slots.items()), reject=reject)
    if spec == "all":
        need = eligible_count
    elif spec == "majority":
        need = eligible_count // 2 + 1
    else:
        need = _at_least_one(spec, "quorum")
    _refuse_above(need, eligible_count, "quorum")
    return Quorum(need=need, groups=(), reject=reject)


def _refuse_unfillable(
    slots: Mapping[str, int],
    eligible_count: int,
    groups: Mapping[str, int],
    members: Mapping[str, Collection[PersonId]] | None,
) -> None:
    for name, need in slots.items():
        if name not in groups:
            raise BadRule(
                "bad_quorum",
                f"The quorum names group {name}, which is not asked. "
                f"Add group:{name} to the approvers, or take it out of the quorum.",
            )
        _refuse_above(need, groups[name], f"quorum of group {name}")
    places = sum(slots.values())
    most = min(places, eligible_count)
    if members is not None:
        most = sum(len(people) for people in fill(slots, _memberships(slots, members)).values())
    if most < places:
        raise BadRule(
            "bad_quorum",
            f"The groups share people, and one person fills one place: the quorum has {places} "
            f"places and {most} of them can be filled. Ask for fewer, or add people to a group.",
        )


def _memberships(
    slots: Mapping[str, int], members: Mapping[str, Collection[PersonId]]
) -> dict[PersonId, list[str]]:
    belongs: dict[PersonId, list[str]] = {}
    for slot in slots:
        for person in members.get(slot, ()):
            belongs.setdefault(person, []).append(slot)
    return belongs


def _refuse_above(count: int, people: int, what: str) -> None:
    if count > people:
        raise BadRule(
            "bad_quorum",
            f"The {what} is {count}, but only {people} can vote. Write {people} or less, "
            "or name more approvers.",
        )


def _at_least_one(value: object, what: str) -> int:
    if not is_whole(value) or value < 1:
        raise BadRule(
            "bad_quorum", f"The {what} is {shown(value)}. Write a whole number from 1 upwards."
        )
    return value


def _group_name(key: object) -> str:
    if not isinstance(key, str) or not is_name(key):
        raise BadRule(
            "bad_quorum",
            f"{shown(key)} is not the name of a group. Write it without a prefix, as in "
            '{"security": 1}.',
        )
    return key


def _stored_group(pair: object) -> tuple[str, int]:
    if not is_sequence(pair) or len(pair) != 2:  # a name and a number
        raise BadRule("bad_quorum", f"{shown(pair)} is not a stored group. Ask again.")
    return _group_name(pair[0]), _at_least_one(pair[1], "stored quorum of a group")
