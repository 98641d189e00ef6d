"""What an ordinary step was given is kept as JSON, without secrets, and not without end."""

from typing import Any

import pytest

from engine.runtime.sent import BYTES_MAX, sent
from engine.runtime.texts import Opened
from engine.secrets import Secret, Secrets
from signoff.calls import Call

SECRETS = Secrets({"BANK": Secret(value="hush-hush", hosts=("bank.example.com",))})


def log_in(user: str, password: str, **more: object) -> None:
    """Stands for a step."""


def told(*args: object, **kwargs: object) -> Any:
    """What is kept of the call."""
    return sent(Call(fn=log_in, args=args, kwargs=kwargs), SECRETS)["arguments"]


def test_the_function_and_its_arguments_are_kept() -> None:
    found = sent(Call(fn=log_in, args=("ana", None), kwargs={"at": [1, {"b": 2.5}]}), SECRETS)

    assert found["fn"] == "tests.unit.test_sent:log_in"
    assert found["arguments"] == {"args": ["ana", None], "kwargs": {"at": [1, {"b": 2.5}]}}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param("x hush-hush y", "x [secret] y", id="a secret that goes out in headers"),
        pytest.param("post with xoxb-1-2-abc", "post with [secret]", id="by its looks"),
        pytest.param({"api_key": "k", "page": 2}, {"api_key": "[secret]", "page": 2}, id="by name"),
        pytest.param(
            "https://u:p@a.example/x?page=2&access_token=t#f",
            "https://[secret]@a.example/x?page=2&access_token=[secret]#f",
            id="in an address",
        ),
        pytest.param(Opened("My words", kept="sealed:1"), "sealed:1", id="what a person wrote"),
        pytest.param(b"\x00", "<bytes>", id="no JSON"),
        pytest.param((1, True), [1, True], id="a tuple is a list"),
    ],
)
def test_a_value_is_kept_as_far_as_it_may_be(given: object, kept: object) -> None:
    assert told("ana", "p", about=given)["kwargs"]["about"] == kept


def test_what_is_given_by_position_is_hidden_by_its_name() -> None:
    assert told("ana", "open sesame")["args"] == ["ana", "[secret]"]


def test_of_much_only_the_beginning_is_kept_with_its_digest() -> None:
    found = told("x" * BYTES_MAX, None)

    assert found.keys() == {"bytes", "digest", "begins"}
    assert found["bytes"] > BYTES_MAX
    assert len(found["begins"]) == 1_000


@pytest.mark.parametrize("odd", [float("nan"), 2**60, "\ud800"], ids=["nan", "large", "surrogate"])
def test_what_has_no_canonical_form_spoils_no_step(odd: object) -> None:
    assert "unkept" in told("ana", None, odd=odd)


def test_what_has_no_end_is_told_by_its_type() -> None:
    loop: list[object] = []
    loop.append(loop)

    assert "<list>" in str(told("ana", None, loop=loop))
