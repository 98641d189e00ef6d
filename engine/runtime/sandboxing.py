"""Runs in a sandbox: each step gets the answer that was given for it, and neither it nor its undo is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from engine.digest import canonical
from engine.rules.wording import is_table
from engine.store.runs import Claim
from signoff.effects import Declined
from signoff.http import REQUEST

if TYPE_CHECKING:
    from engine.runtime.wanted import Wanted

_TAKEN: Final[Mapping[str, object]] = {"status": 200, "headers": {}, "body": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What the steps of one run answer, by their names. The others return nothing; a request is answered 200."""

    answers: Mapping[str, object]

    def stand_in(self, wanted: "Wanted") -> Callable[..., object]:
        """What is called instead of the step's function."""
        answer = self.answers.get(wanted.name)
        if wanted.call.fn is REQUEST:
            answer = _as_http(answer)

        async def answered(*_args: object, **_kwargs: object) -> object:
            if wanted.options.returns is None:
                return answer
            adapter: TypeAdapter[Any] = TypeAdapter(wanted.options.returns)
            try:
                return adapter.validate_python(answer)
            except ValidationError as error:
                has_one = wanted.name in self.answers
                raise Declined(
                    f"The sandbox's answer for {wanted.name!r} is not what the step returns: {error}"
                    if has_one
                    else f"The sandbox has no answer for {wanted.name!r}, and the step returns a "
                    "value of a type. Give one when the run is started."
                ) from error

        return answered


def _as_http(answer: object) -> dict[str, object]:
    """A request's answer: as it was given where it has a status, else 200 with `answer` as its body."""
    if is_table(answer) and "status" in answer:
        return {**_TAKEN, **{str(name): value for name, value in answer.items()}}
    return {**_TAKEN, "body": "" if answer is None else canonical(answer).decode()}


def sandbox_of(claim: Claim) -> Sandbox | None:
    """The sandbox that the run is in; None for a real one, which it stays for good."""
    return None if claim.sandbox is None else Sandbox(answers=claim.sandbox)


def marks_of(claim: Claim) -> Mapping[str, object]:
    """What the journal says besides of each deed of the run, since none is done; of a real one nothing."""
    return {} if claim.sandbox is None else {"sandbox": True}
