"""Calls that can be made after a restart, and those that could not."""

import functools
import subprocess
import sys
from collections.abc import Callable

import pytest

from signoff import Call
from signoff.calls import importable_name, make_call, resolve, takes_step
from signoff.options import StepOptions, as_step
from tests.sdk import samples


def nested() -> Callable[[], None]:
    def inner() -> None: ...

    return inner


def impostor() -> None: ...


impostor.__qualname__ = "pay_back"
impostor.__module__ = samples.__name__


def gone() -> None: ...


gone.__qualname__ = "was_here_once"


@pytest.mark.parametrize(
    ("fn", "why"),
    [
        pytest.param(lambda: None, "A lambda cannot be a step: it has no name", id="a lambda"),
        pytest.param(nested(), "lives inside another function", id="a nested function"),
        pytest.param(samples.Shop().pay, "bound to an object", id="a bound method"),
        pytest.param(functools.partial(print, 1), "no name of its own", id="a partial"),
        pytest.param(impostor, "that name now means something else", id="a replaced function"),
        pytest.param(gone, "has no was_here_once", id="a function that is gone"),
    ],
)
def test_what_a_restart_could_not_find_is_refused(fn: Callable[..., object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        importable_name(fn)
    with pytest.raises(ValueError, match=why):
        make_call(samples.look_up, ("17",), {}, undo=fn)


def test_functions_of_the_started_script_are_refused() -> None:
    script = (
        "from signoff.calls import importable_name\n"
        "def pay(): ...\n"
        "try:\n    importable_name(pay)\n"
        "except ValueError as no:\n    print(no)\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "(__main__)" in said.stdout


@pytest.mark.parametrize(
    "name", ["", "samples", ":pay_back", "tests.sdk.samples:", "no.such.module:fn", "sys:nothing"]
)
def test_a_name_that_leads_nowhere_is_an_import_error(name: str) -> None:
    with pytest.raises(ImportError):
        resolve(name)


def test_a_name_of_something_that_cannot_be_called_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="is not a function"):
        resolve("sys:path")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        pytest.param((), {}, id="too few"),
        pytest.param(("17", 2, 3), {}, id="too many"),
        pytest.param(("17",), {"copies": 2}, id="misspelt"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_when_the_call_is_made(
    args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    with pytest.raises(TypeError, match="look_up cannot be called like this"):
        make_call(samples.look_up, args, kwargs)


def test_step_is_filled_in_by_the_run_and_not_by_the_author() -> None:
    call = make_call(samples.pay_back, ("charge-17", "9.00"), {})

    assert takes_step(samples.pay_back)
    assert not takes_step(samples.positional_step)
    assert call.to_json() == {
        "name": "tests.sdk.samples:pay_back",
        "arguments": {"args": ["charge-17", "9.00"], "kwargs": {}},
    }
    with pytest.raises(TypeError, match="filled in by the run"):
        make_call(samples.pay_back, ("charge-17", "9.00"), {"step": "mine"})


@pytest.mark.parametrize(
    "stored",
    [{}, {"name": "m:f"}, {"name": 1, "arguments": {"args": [], "kwargs": {}}}, {"arguments": []}],
)
def test_what_is_no_stored_call_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is not a call"):
        Call.from_json(stored)


def test_a_call_survives_being_stored() -> None:
    call = make_call(samples.look_up, ("17",), {"copy": 2}, undo=samples.take_back)

    again = Call.from_json(call.to_json(), undo=samples.take_back)

    assert again == call
    assert again.fn is samples.look_up


def test_a_static_method_is_found_again() -> None:
    assert resolve(importable_name(samples.Shop.close)) is samples.Shop.close


def test_a_call_is_not_given_arguments_twice() -> None:
    call = make_call(samples.look_up, ("17",), {})

    with pytest.raises(TypeError, match="carries its own arguments"):
        as_step(call, ("18",), {}, undo=None)
    with pytest.raises(TypeError, match="carries its own arguments"):
        as_step(call, (), {}, undo=samples.take_back)
    assert as_step(call, (), {}, undo=None) is call


def test_the_runs_keywords_are_told_from_the_functions() -> None:
    options, rest = StepOptions.split({"retries": 2, "copy": 3, "name": "look up"})

    assert options == StepOptions(retries=2, name="look up")
    assert rest == {"copy": 3}


def test_a_call_is_changed_by_the_names_of_its_arguments() -> None:
    call = make_call(samples.pay_back, ("charge-17",), {"amount": "620.00"}, undo=samples.take_back)

    changed = call.changed({"charge": "charge-18", "amount": "20.00", "iban": "elsewhere"})

    assert call.parameters == ("charge",)
    assert changed.to_json()["arguments"] == {
        "args": ["charge-18"],
        "kwargs": {"amount": "20.00"},
    }
    assert changed.undo is samples.take_back
    assert call.args == ("charge-17",)
