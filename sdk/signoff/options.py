"""What may be said about a step, apart from what its function is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final

from signoff.calls import Call
from signoff.outcomes import Decision
from signoff.undoing import Undo

Probe = Callable[..., object]  # says `Present`, `Absent` or `Unclear`
Duration = timedelta | str
Cost = Mapping[str, object] | str
# How often again; or how often in all, and with which pauses: {"attempts": 5, "first_delay": "10s",
# "factor": 2, "longest_delay": "5m"}, of which any may be left out; "growth": "linear" or "fibonacci" has no factor.
# Which errors, by their classes or those above: "only": ["TimeoutError"], "never": [PermissionError]; those in
# "no_effect" certainly did nothing, and are tried again even of an irreversible step.
Retries = int | Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions:
    """The keywords of `run.step` that are the run's; every other one is the function's."""

    name: str | None = None
    request_id: str | None = None
    retries: Retries | None = None
    timeout: Duration | None = None
    undo: Undo | None = None
    irreversible: bool = False
    probe: Probe | None = None
    approved: Decision | None = None
    returns: type[Any] | None = None
    cost: Cost | None = None
    reuse: Duration | None = None

    @classmethod
    def split(cls, given: Mapping[str, Any]) -> tuple["StepOptions", dict[str, object]]:
        """The options among the keywords, and the rest, which the function gets.

        Raises:
            TypeError: if there is a probe for a step that is not irreversible, or the result of one
                with an effect were to be reused.
        """
        if not given:
            return _NOTHING_SAID, {}
        options = cls(**{key: value for key, value in given.items() if key in _OPTIONS})
        if options.probe is not None and not options.irreversible:
            raise TypeError(
                "A probe is asked of an irreversible step alone; say irreversible=True."
            )
        effects = {"undo", "irreversible", "approved", "request_id"}
        if options.reuse is not None and (odd := sorted(effects & {k for k in given if given[k]})):
            raise TypeError(
                f"reuse is for steps that only find something out; this one has {', '.join(odd)}."
            )
        return options, {key: value for key, value in given.items() if key not in _OPTIONS}


_OPTIONS: Final = frozenset(field.name for field in fields(StepOptions))
_NOTHING_SAID: Final = StepOptions()


def as_step(
    fn: Call[object] | Callable[..., object],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
    *,
    undo: Undo | None,
) -> Call[object]:
    """What `run.step` was given, in one form.

    Raises:
        TypeError: if a `Call`, which carries its arguments and undo, is given more of them.
    """
    if not isinstance(fn, Call):
        return Call(fn=fn, args=args, kwargs=kwargs, undo=undo)
    if args or kwargs or undo is not None:
        raise TypeError("A call carries its own arguments and undo; give them to run.call.")
    return fn
