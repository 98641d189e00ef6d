"""Whoever may have a definition checked cannot keep the server busy with one."""

import pytest

from engine.rules.definitions import BadDefinition
from engine.runtime.definitions.blocks import ordered
from engine.runtime.definitions.offered import Offered
from engine.runtime.definitions.programs import compiled
from tests.unit.effort import within

pytestmark = pytest.mark.slow

CALLS_MAX = 4_000_000  # of functions; the costliest here makes 2,700,000
STEP = "- {{name: a_step_called_{0}, type: checkpoint, task: '${{steps.a_stop_called_{0}}}'}}"


def steps(*lines: str) -> str:
    return "\n".join(["name: x", "steps:", *(f"  {line}" for line in lines)])


def offered(**children: tuple[str, ...]) -> Offered:
    return Offered(authored={}, children=children)


def test_thousands_of_mistakes_are_refused_at_once() -> None:
    source = steps(*(STEP.format(number) for number in range(800)))

    with within(CALLS_MAX), pytest.raises(BadDefinition, match="And 780 more"):
        compiled(source, offered())


def test_thousands_of_keys_are_refused_at_once() -> None:
    source = "\n".join(f"key_{number}: 1" for number in range(4_900))

    with within(CALLS_MAX), pytest.raises(BadDefinition, match="unknown here"):
        compiled(source, offered())


def test_steps_of_which_each_waits_for_the_next_are_put_in_order_at_once() -> None:
    many = [f"- {{name: s{n}, type: checkpoint, needs: [s{n + 1}]}}" for n in range(1_100)]

    with within(CALLS_MAX):
        program = compiled(steps(*many, "- {name: s1100, type: checkpoint}"), offered())

        assert ordered(program.definition.steps)[0].name == "s1100"


def test_many_ways_to_one_workflow_are_no_circle_and_cost_no_more_than_one() -> None:
    ladder = {f"d{n}": (f"d{n + 1}", f"d{n + 1}") for n in range(60)}
    child = steps("- {name: a, type: child, workflow: d0}")

    with within(CALLS_MAX):
        assert compiled(child, offered(**ladder, d60=())).children == ("d0",)
        with pytest.raises(BadDefinition, match="d59 → d60 → x"):
            compiled(child, offered(**ladder, d60=("x",)))
