"""Checks what a definition's steps say about each other, before anything runs: names, references, conditions."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never

from engine.conditions import BadCondition, condition
from engine.errors import Invalid
from engine.rules.definitions import (
    GUARDED,
    PROBLEMS_MAX,
    ROOTS,
    Problem,
    Reference,
    circle,
    named_in,
    parts_of,
    references,
)
from engine.rules.wording import BadRule, is_table
from engine.runtime.definitions import asked
from engine.runtime.definitions.blocks import blocks_of, names_of, ordered
from engine.runtime.definitions.doings import Doing, HttpStep, TaskStep, UndoTerms
from engine.runtime.definitions.inputs import fits
from engine.runtime.definitions.offered import Offered
from engine.runtime.definitions.reading import Way, Written
from engine.runtime.definitions.shapes import (
    OPTIONS,
    TYPES,
    AnyStep,
    ApprovalStep,
    CheckpointStep,
    ChildStep,
    ConditionStep,
    Definition,
    ForEachStep,
    ParallelStep,
)
from engine.runtime.definitions.terms import Terms, unknown_terms
from engine.runtime.definitions.wording import did_you_mean
from signoff.calls import check_arguments

RUN_FACTS: Final = ("id", "workflow", "feedback")
# Where these stand nothing is filled in, or what stands there is looked at by itself.
_APART: Final = frozenset(
    {"name", "type", "description", "needs", "when", "if", "as", "then", "else", "steps", "branches",
     "probe", "workflow"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What may be named at one point: the steps before it, and the items of the loops around it."""

    steps: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()


class Checker:
    """Looks at one definition and keeps whatever is wrong."""

    def __init__(self, definition: Definition, written: Written, offered: Offered) -> None:
        self._definition, self._written, self._offered = definition, written, offered
        self._problems: list[Problem] = []
        self._taken: dict[str, Way] = {}
        self._asking: dict[str, ApprovalStep] = {}
        self.children: list[str] = []
        self.functions: list[str] = []

    def problems(self) -> list[Problem]:
        """Everything that is wrong; nothing, where it can run."""
        self._inputs()
        whole = self._block(self._definition.steps, ("steps",), Scope())
        self._references(("result",), self._definition.result, whole)
        mine = {self._definition.name: tuple(self.children)}
        arrows = {**mine, **self._offered.children, **mine}
        if around := circle(arrows):
            self._add(("name",), f"These workflows start each other: {' → '.join(around)}.")
        return self._problems

    def _inputs(self) -> None:
        for name, given in self._definition.inputs.items():
            if given.default is not None and not fits(given.type, given.default):
                self._add(("inputs", name, "default"), f"This is no {given.type}.")
            if given.choices and given.default is not None and given.default not in given.choices:
                self._add(("inputs", name, "default"), "This is none of the `choices`.")

    def _block(self, steps: Sequence[AnyStep], way: Way, scope: Scope) -> Scope:
        """Check one block; gives what may be named after it."""
        for index, step in enumerate(steps):
            if step.name in self._taken:
                said = f"Another step is called `{step.name}`. Give each its own name."
                self._add((*way, index, "name"), said)
            self._taken[step.name] = (*way, index)
            if isinstance(step, ApprovalStep):
                self._asking[step.name] = step
        here = {step.name: index for index, step in enumerate(steps)}
        for index, step in enumerate(steps):
            for n, name in enumerate(step.needs or []):
                if name not in here:
                    said = f"There is no step `{name}` beside this one.{self._near(name, here)}"
                    self._add((*way, index, "needs", n), said)
                    return scope
        try:
            following = ordered(steps)
        except BadRule as error:
            self._add((*way, 0), str(error))
            return scope
        for step in following:
            self._step(step, (*way, here[step.name]), scope)
            scope = replace(scope, steps=scope.steps | {step.name})
        return scope

    def _step(self, step: AnyStep, way: Way, scope: Scope) -> None:
        if step.type not in TYPES:
            self._add((*way, "type"), f"Steps of type {step.type} cannot run here yet.")
        if step.when is not None:
            self._condition((*way, "when"), step.when, scope)
        self._references(way, self._written.at(way), scope, but=_APART)
        if isinstance(step, Terms):
            self._terms(way, step)
        if isinstance(step, Doing):
            self._doing(step, way)
        inner = self._kind(step, way, scope)
        for into, block in blocks_of(step):
            self._block(block, (*way, *into), inner)

    def _kind(self, step: AnyStep, way: Way, scope: Scope) -> Scope:
        """Check what only this kind of step has; gives what may be named inside it."""
        match step:
            case TaskStep() | HttpStep():
                self._task(step, way)
            case ConditionStep():
                self._condition((*way, "if"), step.if_, scope)
            case ForEachStep():
                self._loop(step, way, scope)
                return replace(scope, items=scope.items | {step.as_, "index"})
            case ChildStep():
                self._child(step, way)
            case ApprovalStep() | CheckpointStep() | ParallelStep():
                pass
            case _:
                assert_never(step)
        return scope

    def _terms(self, way: Way, terms: Terms) -> None:
        for name in unknown_terms(terms):
            self._add(
                (*way, name), f"`{name}` is not understood here yet. Leave it out.", at_key=True
            )
        with self._told(way):
            for into, said in asked.problems(terms):
                self._add((*way, *into), said)

    def _doing(self, step: Doing, way: Way) -> None:
        if step.approval is not None:
            self._terms((*way, "approval"), step.approval)
        for name in ("cost", "irreversible", "probe"):
            if name in step.model_fields_set and name not in OPTIONS:
                self._add(
                    (*way, name), f"`{name}` is not understood here yet. Leave it out.", at_key=True
                )

    def _task(self, step: TaskStep | HttpStep, way: Way) -> None:
        called = step.task if isinstance(step, TaskStep) else None
        said = step.undo
        undo = (("undo", "task"), said.task) if isinstance(said, UndoTerms) else (("undo",), said)
        for into, name in ((("task",), called), undo, (("probe",), step.probe)):
            if name is None:
                continue
            self.functions.append(name)
            with self._told((*way, *into)):
                found = self._offered.function(name)
                if into == ("task",) and isinstance(step, TaskStep):
                    check_arguments(found, tuple(step.args), step.with_)

    def _loop(self, step: ForEachStep, way: Way, scope: Scope) -> None:
        if step.as_ in {*ROOTS, *scope.items, "index"}:
            self._add((*way, "as"), f"`{step.as_}` has a meaning here already. Write another name.")
        if isinstance(step.items, str):
            with self._told((*way, "items")):
                if not [isinstance(part, Reference) for part in parts_of(step.items)] == [True]:
                    raise BadRule(
                        "bad_definition",
                        "Write a list here, or one reference such as ${inputs.orders}.",
                    )

    def _child(self, step: ChildStep, way: Way) -> None:
        self.children.append(step.workflow)
        if step.workflow not in {*self._offered.workflows, self._definition.name}:
            near = self._near(step.workflow, self._offered.workflows)
            self._add((*way, "workflow"), f"There is no workflow {step.workflow!r}.{near}")

    def _condition(self, way: Way, text: str, scope: Scope) -> None:
        for reference in named_in(text):
            if reference.path[0] in {*ROOTS, *scope.items}:
                self._reference(way, reference, scope)
        try:
            condition(text, [*ROOTS, *sorted(scope.items)])
        except BadCondition as error:
            self._add(way, f"{error} (character {error.column} of the condition)")

    def _references(
        self, way: Way, value: object, scope: Scope, *, but: Collection[str] = ()
    ) -> None:
        if is_table(value):
            parts = [(str(key), each) for key, each in value.items() if key not in but]
        else:
            parts = [("", value)]
        for key, each in parts:
            at = (*way, key) if key else way
            with self._told(at):
                for into, reference in references(each):
                    self._reference((*at, *into), reference, scope)

    def _reference(self, way: Way, reference: Reference, scope: Scope) -> None:
        root, *rest = reference.path
        name = rest[0] if rest else ""
        if root == GUARDED:
            if "headers" not in way or len(rest) != 1:
                said = "Secrets stand in `headers` alone, by one name, as in ${secret.BANK}."
                self._add(way, said)
            return
        roots = {*ROOTS, *scope.items}
        if root not in roots:
            self._add(
                way,
                f"${{{reference}}} begins with no name that is known here.{self._near(root, roots)}",
            )
        elif root in scope.items:
            return
        elif not rest:
            self._add(way, f"${{{root}}} says too little. Write which one, as in ${{{root}.name}}.")
        elif root == "inputs" and name not in self._definition.inputs:
            self._add(
                way, f"There is no input `{name}`.{self._near(name, self._definition.inputs)}"
            )
        elif root == "run" and name not in RUN_FACTS:
            self._add(way, f"Of a run there is {', '.join(RUN_FACTS)}.")
        elif root == "steps" and name not in scope.steps:
            self._add(way, self._no_step(name, scope))
        elif root == "steps" and name in self._asking:
            self._part(way, self._asking[name], rest[1:])

    def _part(self, way: Way, step: ApprovalStep, path: Sequence[str]) -> None:
        """Check that an approval gives what is named of it."""
        given = asked.given_by(step)
        known: Collection[str] = given.parts
        where = f"step `{step.name}`"
        for depth, part in enumerate(path[:2]):
            if part not in known:
                self._add(way, f"Of {where} there is no `{part}`.{self._near(part, known)}")
                return
            if depth or part not in given.inside:
                return
            known, where = given.inside[part], f"`{part}` of {where}"

    def _no_step(self, name: str, scope: Scope) -> str:
        if name in names_of(self._definition.steps):
            return (
                f"Step `{name}` has no result yet at this point, or keeps it inside its block. Move it up, "
                "name it in `needs`, or take the result of the block."
            )
        return f"There is no step `{name}`.{self._near(name, scope.steps)}"

    def _near(self, wrong: str, known: Collection[str]) -> str:
        # Looking for it takes long among many names, and no more mistakes than these are told.
        return did_you_mean(wrong, known) if len(self._problems) < PROBLEMS_MAX else ""

    def _told(self, way: Way) -> "_Told":
        return _Told(lambda said: self._add(way, said))

    def _add(self, way: Way, message: str, *, at_key: bool = False) -> None:
        self._problems.append(self._written.problem(way, message, at_key=at_key))


class _Told:
    """Turns what the block refuses into a problem."""

    def __init__(self, add: Callable[[str], None]) -> None:
        self._add = add

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Invalid | TypeError):
            return False
        self._add(str(error))
        return True
