"""Makes the steps of a definition that change the world: a function that is called, or a request that is sent."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import Invalid
from engine.rules.definitions import GUARDED, Reference, parts_of
from engine.runtime.definitions.doings import HttpStep, TaskStep, UndoTerms
from engine.runtime.definitions.places import Place
from engine.runtime.definitions.values import filled, looked_up, spelled
from engine.secrets import REFERENCE
from signoff.calls import Call, make_call
from signoff.http import HttpAnswer, request
from signoff.outcomes import Decision
from signoff.running import Run
from signoff.undoing import Compensation, HttpUndo, Undo

Function = Callable[..., object]


class Deed:
    """One such step at one place of a run."""

    def __init__(
        self, step: TaskStep | HttpStep, place: Place, run: Run, function: Callable[[str], Function]
    ) -> None:
        self._step, self._place, self._run, self._function = step, place, run, function

    @property
    def call(self) -> Call[object]:
        """What would be done, as people approve it."""
        step, values = self._step, self._place.values
        if isinstance(step, HttpStep):
            given = {} if step.body is None else {"json": filled(step.body, values)}
            return make_call(request, (step.method, filled(step.url, values)), given)
        args, kwargs = filled(step.args, values), filled(step.with_, values)
        undo = self._undo(step)
        return make_call(self._function(step.task), tuple(args), kwargs, undo=undo)

    async def do(
        self, call: Call[object] | None = None, approved: Decision | None = None
    ) -> object:
        """Do it once, or exactly what was `approved`; gives its result."""
        made, options = call or self.call, self._options()
        if approved is not None:
            options["approved"] = approved
        if isinstance(self._step, TaskStep):
            return await self._run.step(made, **options)
        return _plain(await self._send(made, self._step, options))

    async def _send(
        self, made: Call[object], step: HttpStep, options: dict[str, Any]
    ) -> HttpAnswer:
        method, url = made.args
        undo = self._undo(step)
        if undo is not None:
            options["undo"] = undo
        return await self._run.http(
            str(method),
            str(url),
            json=made.kwargs.get("json"),
            headers=headers(step.name, step.headers, self._place.values),
            **options,
        )

    def _undo(self, step: TaskStep | HttpStep) -> Undo | None:
        said, values = step.undo, self._place.values
        if not isinstance(said, UndoTerms):
            return None if said is None else self._function(said)
        fn: Function | HttpUndo
        if said.task is not None:
            fn = self._function(said.task)
        else:
            fn = HttpUndo(
                said.method or "",
                filled(said.url, values),
                filled(said.body, values),
                headers(step.name, said.headers, values),
            )
        return Compensation(
            fn,
            retries=said.retries,
            timeout=said.timeout,
            needs=said.needs,
            irreversible=said.irreversible,
            kind=said.kind,
        )

    def _options(self) -> dict[str, Any]:
        step, values = self._step, self._place.values
        given = {
            "name": self._place.name_of(step),
            "request_id": filled(step.request_id, values),
            "retries": step.retries,
            "timeout": step.timeout,
            "irreversible": step.irreversible or None,
            "probe": None if step.probe is None else self._function(step.probe),
            "cost": filled(step.cost, values),
        }
        return {name: value for name, value in given.items() if value is not None}


def headers(
    step: str, given: Mapping[str, str] | None, values: Mapping[str, object]
) -> dict[str, str] | None:
    """What is sent along: the definition's own references to secrets stay as they are, and no others.

    Raises:
        Invalid: `bad_header`, where an input or a result would name a secret.
    """
    if given is None:
        return None
    return {name: _header(step, text, values) for name, text in given.items()}


def _header(step: str, text: str, values: Mapping[str, object]) -> str:
    parts = parts_of(text)
    own = [part for part in parts if isinstance(part, Reference) and part.path[0] == GUARDED]
    written = "".join(
        part
        if isinstance(part, str)
        else f"${{{part}}}"
        if part in own
        else spelled(looked_up(part, values))
        for part in parts
    )
    if len(REFERENCE.findall(written)) != len(own):
        raise Invalid(
            f"A header of {step} would name a secret that the definition does not.",
            code="bad_header",
        )
    return written


def _plain(answer: HttpAnswer) -> dict[str, object]:
    try:
        body: object = json.loads(answer.body)
    except ValueError:
        body = answer.body
    return {"status": answer.status, "headers": dict(answer.headers), "body": body}
