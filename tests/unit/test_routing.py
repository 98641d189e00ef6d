"""Routes are read strictly, and mean each address once."""

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ids import PersonId
from engine.rules.routing import (
    Reachable,
    Route,
    Routing,
    Target,
    parse_routes,
    parse_routing,
    plan,
)
from engine.rules.wording import BadRule

ANA, BO, CHEN = PersonId("ana"), PersonId("bo"), PersonId("chen")
PEOPLE = (
    Reachable(person=ANA, email="Ana@example.com", slack="T0123/U0AAA"),
    Reachable(person=BO, email="bo@example.com", slack=None),
    Reachable(person=CHEN, email=None, slack="T0123/U0CCC"),
)
NOW, TEN = timedelta(), timedelta(minutes=10)
DESIGN: dict[str, object] = {
    "slack": ["#approvals", "dm"],
    "email": ["approvers"],
    "webhook": ["erp"],
    "after": {"email": "10m"},
    "hide": {"email": ["iban"], "slack": []},
    "material": ["order", "amount"],
}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(None, "not a table", id="nothing"),
        pytest.param(["slack"], "not a table", id="a list"),
        pytest.param({"sms": ["ana"]}, "'sms' is unknown", id="an unknown channel"),
        pytest.param({7: []}, "7 is unknown", id="a number as key"),
        pytest.param({"slack": "dm"}, "slack is 'dm'. Write a list", id="a text for a list"),
        pytest.param({"slack": ["dm"] * 51}, "at most 50", id="more than 50 targets"),
        pytest.param({"slack": [7]}, "slack cannot go to 7", id="a number as target"),
        pytest.param(
            {"slack": ["approvals"]}, "cannot go to 'approvals'", id="a channel without #"
        ),
        pytest.param({"slack": ["#"]}, "cannot go to", id="a channel without a name"),
        pytest.param({"slack": ["#a b"]}, "cannot go to", id="a channel with a blank"),
        pytest.param({"slack": ["#" + "a" * 81]}, "cannot go to", id="a channel over 80"),
        pytest.param({"slack": ["U0AAA"]}, "cannot go to", id="a user is not a channel"),
        pytest.param({"slack": ["c0123"]}, "cannot go to", id="channel ids are upper case"),
        pytest.param({"email": ["Ana Diaz"]}, "cannot go to", id="a display name"),
        pytest.param({"email": ["a@b"]}, "cannot go to", id="an address without a domain"),
        pytest.param({"email": ["\N{KELVIN SIGN}@x.io"]}, "cannot go to", id="no loophole"),
        pytest.param({"webhook": ["https://x.io"]}, "name of a webhook", id="a webhook by address"),
        pytest.param({"webhook": ["a@x.io"]}, "cannot go to", id="a webhook is not a mailbox"),
        pytest.param({"after": []}, "after is", id="after what"),
        pytest.param({"after": {"sms": "1m"}}, "after names 'sms'", id="after an unknown channel"),
        pytest.param({"after": {"email": "1m"}}, "waits for nothing", id="after without a route"),
        pytest.param(
            {"email": [], "after": {"email": "1m"}}, "waits for nothing", id="after no route"
        ),
        pytest.param(
            {"email": ["approvers"], "after": {"email": 10}}, "after.email is 10", id="no unit"
        ),
        pytest.param({"hide": ["iban"]}, "hide is", id="hide where"),
        pytest.param({"hide": {"sms": []}}, "hide names 'sms'", id="hide in an unknown channel"),
        pytest.param({"hide": {"email": "iban"}}, "hide.email is 'iban'", id="hide a text"),
        pytest.param({"hide": {"email": [""]}}, "names of fields", id="a field without a name"),
        pytest.param({"material": "order"}, "material is 'order'", id="material as a text"),
        pytest.param({"material": 7}, "material is 7", id="material as a number"),
        pytest.param({"material": ""}, "material is ''", id="material as an empty text"),
        pytest.param({"material": ["order", 7]}, "names of fields", id="a number among fields"),
        pytest.param({"material": ["x" * 201]}, "names of fields", id="a field over 200"),
    ],
)
def test_bad_routes_are_refused(raw: object, says: str) -> None:
    with pytest.raises(BadRule, match=says) as refused:
        parse_routing(raw)

    assert refused.value.code == "bad_routes"


def test_a_time_that_is_no_duration_is_refused() -> None:
    with pytest.raises(BadRule) as refused:
        parse_routes({"email": ["approvers"], "after": {"email": "soon"}})

    assert refused.value.code == "bad_duration"


def test_the_shape_of_the_configuration_is_understood() -> None:
    routing = parse_routing(DESIGN)

    assert routing == Routing(
        routes=(
            Route(channel="slack", target="#approvals", after=NOW),
            Route(channel="slack", target="dm", after=NOW),
            Route(channel="email", target="approvers", after=TEN),
            Route(channel="webhook", target="erp", after=NOW),
        ),
        hide={"email": ("iban",), "slack": ()},
        material=("order", "amount"),
    )
    assert parse_routes(DESIGN) == routing.routes
    assert parse_routing(json.loads(json.dumps(routing.to_json(), sort_keys=True))) == routing


@pytest.mark.parametrize(
    ("raw", "routes"),
    [
        pytest.param({}, [], id="nowhere"),
        pytest.param({"slack": []}, [], id="an empty list is nowhere"),
        pytest.param({"slack": ("dm",)}, [("slack", "dm")], id="a tuple"),
        pytest.param({"slack": ["dm", "dm"]}, [("slack", "dm")], id="a target twice is once"),
        pytest.param({"slack": ["#tëam-x_1"]}, [("slack", "#tëam-x_1")], id="letters of any kind"),
        pytest.param(
            {"slack": ["C0123", "G0123"]}, [("slack", "C0123"), ("slack", "G0123")], id="id"
        ),
        pytest.param(
            {"email": ["A@X.io", "ana"]}, [("email", "a@x.io"), ("email", "ana")], id="mail"
        ),
        pytest.param(
            {"webhook": ["erp"], "slack": ["dm"]}, [("slack", "dm"), ("webhook", "erp")], id="order"
        ),
    ],
)
def test_targets_are_understood(raw: object, routes: list[tuple[str, str]]) -> None:
    assert [(route.channel, route.target) for route in parse_routes(raw)] == routes
    assert parse_routing(parse_routing(raw).to_json()) == parse_routing(raw)


def test_a_field_has_from_one_to_two_hundred_characters() -> None:
    assert parse_routing({"material": ["x", "y" * 200]}).material == ("x", "y" * 200)


def mail(address: str, person: PersonId | None, *, after: timedelta = NOW) -> Target:
    return Target(channel="email", address=address, person=person, after=after)


def slack(address: str, person: PersonId | None) -> Target:
    return Target(channel="slack", address=address, person=person, after=NOW)


@pytest.mark.parametrize(
    ("raw", "targets"),
    [
        pytest.param({}, [], id="nowhere"),
        pytest.param(
            {"slack": ["dm"]},
            [slack("T0123/U0AAA", ANA), slack("T0123/U0CCC", CHEN)],
            id="a direct message to each who has Slack",
        ),
        pytest.param({"slack": ["#x"]}, [slack("#x", None)], id="one post to a channel"),
        pytest.param(
            {"email": ["approvers"]},
            [mail("Ana@example.com", ANA), mail("bo@example.com", BO)],
            id="a message to each who has mail",
        ),
        pytest.param({"email": ["bo"]}, [mail("bo@example.com", BO)], id="one person by name"),
        pytest.param({"email": ["chen"]}, [], id="a person without mail"),
        pytest.param({"email": ["dee"]}, [], id="a person who is not asked"),
        pytest.param({"email": ["x@y.io"]}, [mail("x@y.io", None)], id="an address of nobody"),
        pytest.param(
            {"email": ["ana@example.com"]}, [mail("ana@example.com", ANA)], id="an address of Ana"
        ),
        pytest.param(
            {"email": ["ana@example.com", "approvers"], "after": {"email": "10m"}},
            [mail("ana@example.com", ANA, after=TEN), mail("bo@example.com", BO, after=TEN)],
            id="one mailbox, one message",
        ),
        pytest.param(
            {"webhook": ["erp"]},
            [Target(channel="webhook", address="erp", person=None, after=NOW)],
            id="a webhook",
        ),
        pytest.param(
            {"webhook": ["dm", "approvers"]},
            [
                Target(channel="webhook", address="dm", person=None, after=NOW),
                Target(channel="webhook", address="approvers", person=None, after=NOW),
            ],
            id="a webhook may have any name",
        ),
    ],
)
def test_a_plan(raw: Mapping[str, object], targets: list[Target]) -> None:
    assert plan(parse_routing(raw), PEOPLE) == tuple(targets)


def test_of_two_routes_to_one_address_the_earlier_and_the_personal_counts() -> None:
    late = Route(channel="email", target="BO@example.com", after=TEN)
    soon = Route(channel="email", target="bo", after=NOW)

    for routes in [(late, soon), (soon, late)]:
        (target,) = plan(Routing(routes=routes, hide={}, material=()), PEOPLE)
        assert (target.person, target.after) == (BO, NOW)


def test_one_address_on_two_channels_is_two_messages() -> None:
    routing = parse_routing({"slack": ["C0123"], "webhook": ["c0123"]})

    assert len(plan(routing, PEOPLE)) == 2


@given(
    st.lists(st.sampled_from(["#a", "dm", "C0123"])),
    st.lists(st.sampled_from(["approvers", "ana", "bo@example.com", "x@y.io"])),
    st.lists(st.sampled_from(PEOPLE), max_size=3),
)
def test_no_address_is_written_to_twice(
    slack_targets: list[str], email_targets: list[str], people: list[Reachable]
) -> None:
    routing = parse_routing({"slack": slack_targets, "email": email_targets})

    addresses = [(target.channel, target.address.lower()) for target in plan(routing, people)]
    assert len(addresses) == len(set(addresses))
