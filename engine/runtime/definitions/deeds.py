"""Makes the steps of a definition that change the world: a function that is called, or a request that is sent."""

import json
from collections.abc import Callable
from typing import Any

from engine.runtime.definitions.places import Place
from engine.runtime.definitions.shapes import HttpStep, TaskStep
from engine.runtime.definitions.values import filled
from signoff.calls import Call, make_call
from signoff.http import HttpAnswer, request
from signoff.outcomes import Decision
from signoff.running import Run

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
        undo = None if step.undo is None else self._function(step.undo)
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
        if step.undo is not None:
            options["undo"] = self._function(step.undo)
        return await self._run.http(
            str(method),
            str(url),
            json=made.kwargs.get("json"),
            headers=filled(step.headers, self._place.values),
            **options,
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


def _plain(answer: HttpAnswer) -> dict[str, object]:
    try:
        body: object = json.loads(answer.body)
    except ValueError:
        body = answer.body
    return {"status": answer.status, "headers": dict(answer.headers), "body": body}
