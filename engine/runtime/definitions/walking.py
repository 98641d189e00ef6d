"""Goes through a definition step by step: the one workflow that every written workflow is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, assert_never

from engine.conditions import Condition, condition
from engine.errors import Invalid
from engine.rules.definitions import ITEMS_MAX
from engine.rules.wording import is_sequence
from engine.runtime.definitions.asked import told
from engine.runtime.definitions.blocks import ordered
from engine.runtime.definitions.deeds import Deed
from engine.runtime.definitions.doings import Doing, HttpStep, TaskStep
from engine.runtime.definitions.places import Place
from engine.runtime.definitions.shapes import (
    AnyStep,
    ApprovalStep,
    CheckpointStep,
    ChildStep,
    ConditionStep,
    Definition,
    ForEachStep,
    ParallelStep,
)
from engine.runtime.definitions.terms import Terms
from engine.runtime.definitions.values import filled
from signoff.running import Run

Function = Callable[..., object]
Turns = Sequence[tuple[int, object]]  # of a loop: the index, and the item


async def walk(
    run: Run,
    definition: Definition,
    given: Mapping[str, object],
    function: Callable[[str], Function],
) -> object:
    """Drive `run` through `definition`; gives its `result`, or that of its last step.

    What it asks of the run depends on the inputs and on earlier results alone, so a replay asks the same.
    """
    facts = {"id": run.id, "workflow": run.workflow, "feedback": None}
    start = Place(values={"inputs": dict(given), "steps": {}, "run": facts})
    last = await Walker(run, function).block(definition.steps, start)
    if "result" not in definition.model_fields_set:
        return last
    return filled(definition.result, start.values)


class Walker:
    """One drive of one run."""

    def __init__(self, run: Run, function: Callable[[str], Function]) -> None:
        self._run, self._function = run, function

    async def block(self, steps: Sequence[AnyStep], place: Place) -> object:
        """Do the steps of a block; gives what the last one gave."""
        last: object = None
        for step in ordered(steps):
            last = None
            # Whether the run has been sent back is known from where it was sent back to on.
            place.values["run"]["feedback"] = self._run.feedback
            if step.when is None or _holds(step.when, place):
                last = await self._step(step, place)
            place.results[step.name] = last
        return last

    async def _step(self, step: AnyStep, place: Place) -> object:
        match step:
            case TaskStep() | HttpStep():
                return await self._checkpointed(step, place, await self._done(step, place))
            case ApprovalStep():
                title = filled(step.title, place.values)
                decision = await self._run.approval(title, **_terms(step, step.name, place))
                return told(decision, step)
            case CheckpointStep():
                return await self._checkpoint(step, place)
            case ConditionStep():
                way = step.then if _holds(step.if_, place) else step.else_
                return None if way is None else await self.block(way, place.inside())
            case ForEachStep():
                return await self._each(step, place)
            case ParallelStep():
                return await self._branches(step, place)
            case ChildStep():
                return await self._run.child(step.workflow, **filled(step.input, place.values))
            case _:
                assert_never(step)

    async def _done(self, step: TaskStep | HttpStep, place: Place) -> object:
        deed = Deed(step, place, self._run, self._function)
        terms: Any = {}
        title = ""
        if step.approval is not None:
            title = filled(step.approval.title or f"{step.name}?", place.values)
            terms = _terms(step.approval, step.name, place)
        if step.requires_approval == "before":
            call = deed.call
            decision = await self._run.approval(title, **terms, call=call)
            return await deed.do(decision.call or call, decision)
        result = await deed.do()
        if step.requires_approval == "after":
            terms["details"] = {"result": result, **terms.get("details", {})}
            await self._run.approval(title, **terms)
        return result

    async def _checkpointed(self, step: Doing, place: Place, result: object) -> object:
        if step.create_checkpoint:
            name = step.name if step.create_checkpoint is True else step.create_checkpoint
            done = {**place.results, step.name: result}
            await self._run.checkpoint(f"{name}{place.turns}", state=done, task=step.description)
        return result

    async def _checkpoint(self, step: CheckpointStep, place: Place) -> str:
        state = dict(place.results) if step.state is None else filled(step.state, place.values)
        return await self._run.checkpoint(
            f"{step.name}{place.turns}",
            state=state,
            asked=filled(step.asked, place.values),
            task=filled(step.task, place.values),
        )

    async def _branches(self, step: ParallelStep, place: Place) -> dict[str, object]:
        def branch(steps: Sequence[AnyStep]) -> Callable[[Run], Awaitable[object]]:
            return lambda run: Walker(run, self._function).block(steps, place.inside())

        made = {name: branch(steps) for name, steps in step.branches.items()}
        return dict(await self._run.gather(**made))

    async def _each(self, step: ForEachStep, place: Place) -> list[object]:
        items = filled(step.items, place.values)
        if items is None or not is_sequence(items) or len(items) > ITEMS_MAX:
            raise Invalid(
                f"{step.name} goes through a list of at most {ITEMS_MAX} items, and `items` is none.",
                code="missing_value",
            )
        turns = list(enumerate(items))
        if step.at_once == 1 or len(turns) <= 1:
            return list((await self._turns(step, place, turns)).values())
        # Which lane takes which item is settled before: a replay asks the same of each.
        lanes = [turns[first :: step.at_once] for first in range(min(step.at_once, len(turns)))]

        def lane(mine: Turns) -> Callable[[Run], Awaitable[dict[int, object]]]:
            return lambda run: Walker(run, self._function)._turns(step, place, mine)

        done = await self._run.gather(**{f"lane-{n}": lane(each) for n, each in enumerate(lanes)})
        results = {index: result for part in done.values() for index, result in part.items()}
        return [results[index] for index, _item in turns]

    async def _turns(self, step: ForEachStep, place: Place, turns: Turns) -> dict[int, object]:
        results: dict[int, object] = {}
        for index, item in turns:
            inside = place.inside(**{step.as_: item, "index": index})
            turn = Place(values=inside.values, turns=f"{place.turns}[{index}]")
            results[index] = await self.block(step.steps, turn)
        return results


def _terms(terms: Terms, name: str, place: Place) -> Any:
    """The terms as they were written, for `run.approval`."""
    given = {
        key: getattr(terms, key) for key in Terms.model_fields if key in terms.model_fields_set
    }
    filled_in = filled(
        {key: value for key, value in given.items() if value is not None}, place.values
    )
    return {"action": name, **filled_in}


def _holds(text: str, place: Place) -> bool:
    names = tuple(sorted(place.values))
    return _condition(text, names).evaluate(place.values)


@lru_cache(maxsize=4096)
def _condition(text: str, names: tuple[str, ...]) -> Condition:
    return condition(text, names)
