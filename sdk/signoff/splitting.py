"""How a run is split: into branches that go on side by side, and into runs of their own."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from signoff.running import Run

P = ParamSpec("P")
T = TypeVar("T")


class Splitting(Protocol):
    """What a run that does one thing at a time can leave to others."""

    async def gather(self, **branches: Callable[["Run"], Awaitable[T]]) -> Mapping[str, T]:
        """Run the branches side by side; what each returns, by its name.

        Each is given a `Run` of its own, and asks only that: its order is strict, while branches are
        independent of each other, on replay too. While one waits (for people, a time, a retry) the
        others go on, so that several approvals may be open at once; the run itself waits when every
        branch does.

        The first branch that raises ends the others, and what it raised is raised here: a step that
        is under way comes to its end and is recorded, open approvals are withdrawn, nothing further
        begins. What the branches did stays done, unless the run rolls back: then all of it is undone,
        what was finished last first.

        Raises:
            Exception: what the first branch raised that failed.
            ValueError: for a branch's name that is not letters, digits, dash and underscore.
        """
        ...

    @overload
    async def child(
        self,
        workflow: Callable[Concatenate["Run", P], Coroutine[Any, Any, T]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T: ...

    @overload
    async def child(self, workflow: str, /, **given: object) -> Any: ...

    async def child(
        self, workflow: str | Callable[..., object], /, *args: object, **kwargs: object
    ) -> object:
        """Start a run of another workflow and wait for its result, holding nothing meanwhile.

        It is a run of its own, with its journal and its approvals, begun exactly once whatever
        crashes. It belongs to this one: cancelling this run cancels it, budgets of this run are
        charged, and a rollback undoes all that it did, in its turn. Nobody counts on its approvals
        who would not on this run's.

        Args:
            workflow: a registered workflow, or its name.
            args: its input: JSON values.
            kwargs: its input by name.

        Raises:
            Rejected: if it was rolled back because people said no; so for `ChangesRequested` and
                `Cancelled`.
            ChildFailed: if it ended in any other way than with a result.
            TypeError: if the workflow does not take this input.
            ValueError: if it is not registered.
        """
        ...
