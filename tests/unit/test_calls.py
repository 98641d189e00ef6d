"""A call is read as what it is: no argument can pass for two, or for one of another name."""

from collections.abc import Mapping

import pytest

from channels.calls import call_home, call_text


def call(*args: object, **kwargs: object) -> Mapping[str, object]:
    arguments = {"args": list(args), "kwargs": kwargs}
    return {"name": "shop.refunds:pay_back", "arguments": arguments}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (call(), "pay_back()"),
        (call("charge-17", "620.00 EUR"), 'pay_back("charge-17", "620.00 EUR")'),
        (call('a", "b'), r'pay_back("a\", \"b")'),
        (call("two\nlines"), r'pay_back("two\nlines")'),
        (call(1, None, True, cents=5), "pay_back(1, null, true, cents=5)"),
        (call(to="Zoë", lines=[{"sku": "A-1"}]), 'pay_back(to="Zoë", lines=[{"sku": "A-1"}])'),
    ],
)
def test_a_call_is_its_name_and_its_arguments(given: Mapping[str, object], text: str) -> None:
    assert call_text(given) == text
    assert call_home(given) == "shop.refunds"


def test_a_function_of_a_class_keeps_its_whole_name() -> None:
    given = {"name": "shop.refunds:Desk.pay", "arguments": {"args": [], "kwargs": {}}}

    assert call_text(given) == "Desk.pay()"
