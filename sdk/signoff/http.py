"""HTTP requests as steps: what `run.http` sends, and what it gets back."""

import json as parsing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from signoff.options import Probe, Retries
from signoff.outcomes import Decision
from signoff.undoing import Undo


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What the target answered. `cut` says that the body was longer than what is kept of it."""

    status: int
    headers: Mapping[str, str]
    body: str
    cut: bool = False

    def json(self) -> object:
        """The body as JSON.

        Raises:
            ValueError: if it is none.
        """
        return parsing.loads(self.body)


class HttpOptions(TypedDict, total=False):
    """What else may be said about an HTTP step; each as `run.step` has it."""

    name: str
    request_id: str
    retries: Retries | None
    undo: Undo
    irreversible: bool
    probe: Probe
    approved: Decision


async def request(method: str, url: str, *, json: object = None) -> HttpAnswer:
    """Stands for an HTTP request in journals and approvals; `run.http` and `run.step` send it.

    To have one approved before it is sent, give `run.call(request, "POST", url, json=…)` to
    `run.approval`, and then the same call, or the same words to `run.http`, with `approved=`.

    Raises:
        RuntimeError: whenever it is called by anybody but a run.
    """
    raise RuntimeError(f"{method} {url} is sent by a run: use run.http or run.step.")


REQUEST: Callable[..., object] = request
