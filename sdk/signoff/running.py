"""What workflow code holds while it runs: every deed goes through here and is journaled."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar, Unpack, overload
from uuid import UUID

from signoff.asking import RunTerms
from signoff.calls import Call
from signoff.http import HttpAnswer, HttpOptions
from signoff.layers import Asked, Task
from signoff.options import Cost, Duration, Probe, Retries
from signoff.outcomes import Decision
from signoff.splitting import Splitting
from signoff.step_info import StepInfo
from signoff.undoing import Undo

T = TypeVar("T")

__all__ = ["Run", "StepInfo"]


class Run(Splitting, Protocol):
    """One execution of a workflow, driven by the server.

    After a restart the function runs again from the top, and everything below answers from the
    journal as far as it got, without doing anything again. So whatever is not asked of the run
    must not change the order of what is: take time, randomness and names from here, too. If the
    code asks for something else than the journal remembers, the run stops with `WorkflowChanged`
    and loses nothing.
    """

    @property
    def id(self) -> str:
        """The run's name: `run_…`."""
        ...

    @property
    def workflow(self) -> str:
        """The workflow's registered name."""
        ...

    @property
    def feedback(self) -> str | None:
        """Why the run was last rolled back and resumed; None if it never was."""
        ...

    @overload
    async def step(
        self,
        fn: Call[T],
        *,
        name: str | None = None,
        request_id: str | None = None,
        retries: Retries | None = None,
        timeout: Duration | None = None,
        irreversible: bool = False,
        probe: Probe | None = None,
        approved: Decision | None = None,
        returns: type[T] | None = None,
        cost: Cost | None = None,
        reuse: Duration | None = None,
    ) -> T: ...

    @overload
    async def step(
        self,
        fn: Callable[..., Awaitable[T]],
        *args: object,
        name: str | None = None,
        request_id: str | None = None,
        retries: Retries | None = None,
        timeout: Duration | None = None,
        undo: Undo | None = None,
        irreversible: bool = False,
        probe: Probe | None = None,
        approved: Decision | None = None,
        returns: type[T] | None = None,
        cost: Cost | None = None,
        reuse: Duration | None = None,
        **kwargs: object,
    ) -> T: ...

    @overload
    async def step(
        self,
        fn: Callable[..., T],
        *args: object,
        name: str | None = None,
        request_id: str | None = None,
        retries: Retries | None = None,
        timeout: Duration | None = None,
        undo: Undo | None = None,
        irreversible: bool = False,
        probe: Probe | None = None,
        approved: Decision | None = None,
        returns: type[T] | None = None,
        cost: Cost | None = None,
        reuse: Duration | None = None,
        **kwargs: object,
    ) -> T: ...

    async def step(
        self, fn: Call[object] | Callable[..., object], *args: object, **kwargs: object
    ) -> object:
        """Do something to the world, and remember how it ended.

        At least once: if the process dies after the effect and before its entry, the function
        runs again with the same request id. A function that is not async runs in a thread. With
        `undo`, the intent is recorded before the effect, so that an effect whose entry was lost
        is still undone: a rollback calls `undo(result, *args, **kwargs)`.

        With `irreversible`, at most once: an attempt of which nobody knows how it ended (the process
        died, or it failed with anything but `NoEffect`) is never repeated by itself. `probe` is
        asked, if there is one, and otherwise the operators; the run waits meanwhile.

        With `approved`, the step begins only if that decision exists, is not revoked, was not
        used before, and (for a `Call`) was given for exactly this function and these arguments.

        Args:
            fn: an importable function, or the `Call` that was approved.
            args: JSON values, handed to `fn`.
            name: how the step is called in the journal; the function's name if not given.
            request_id: the key of the effect; made from run and call path if not given.
            retries: how many further attempts a failed step has; or a table, with pauses and classes of errors.
            timeout: how long one attempt may take: a timedelta, or text such as `90s`.
            undo: what takes the effect back; importable. A `Compensation` says more about it.
            irreversible: whether the effect must not happen twice.
            probe: looks whether the effect of an `irreversible` step is there: called as
                `probe(request_id, *args, **kwargs)`, it returns `Present(result)`, `Absent()` or
                `Unclear(reason)`; importable. It is asked again after a crash.
            approved: the decision that allows this step.
            returns: the type of the result, where that is not plain JSON.
            cost: what it may cost at most, such as `{"usd": "0.10", "tokens": 50}`; kept back in
                every budget above before the step begins. What it really cost its function says
                with `step.spent`; else this counts.
            reuse: for how long the result answers equal calls of this workflow, in later runs too,
                such as `24h`; for steps without an effect. What that saved is in the summary.
            kwargs: JSON values, handed to `fn` by name.

        Raises:
            BudgetExceeded: if a budget has not enough left; then the step did not begin.
            StepFailed: after the last attempt; `__cause__` is what the function raised, unless
                the failure is answered from the journal.
            ValueError: if `fn`, `undo` or `probe` is not importable.
            TypeError: if `fn` does not take these arguments, or `probe` comes without
                `irreversible`.
        """
        ...

    async def http(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
        **options: Unpack[HttpOptions],
    ) -> HttpAnswer:
        """Send an HTTP request as a step; its answer, if the target took it (2xx, 303 or 304).

        The request id goes along as `Idempotency-Key`, the same on every attempt, and `json` in its
        canonical bytes. Headers are not journaled, so secrets may be in them. Private addresses are
        refused unless the server allows them, and redirects are not followed.

        What certainly did nothing is tried again: no connection, 425, 429. Other 4xx, and
        redirects, are a no for good. No answer, 408, 409 and 5xx may have had their effect: they are
        tried again as `retries` says, and of an `irreversible` step they are unknown. While a target
        fails for everybody, nothing is sent there and the run waits: see the how-to page.

        Args:
            method: GET, HEAD, POST, PUT, PATCH or DELETE.
            url: https, without user or password.
            json: what is sent; nothing if None.
            headers: sent along.
            timeout: for the whole exchange; 15 s if not given.
            options: name, request_id, retries, undo, irreversible, probe and approved, as `step`.

        Raises:
            StepFailed: after the last attempt, or at once where the target declined.
        """
        ...

    @overload
    def call(
        self,
        fn: Callable[..., Awaitable[T]],
        *args: object,
        undo: Undo | None = None,
        **kwargs: object,
    ) -> Call[T]: ...

    @overload
    def call(
        self, fn: Callable[..., T], *args: object, undo: Undo | None = None, **kwargs: object
    ) -> Call[T]: ...

    def call(
        self,
        fn: Callable[..., object],
        *args: object,
        undo: Undo | None = None,
        **kwargs: object,
    ) -> Call[object]:
        """A call to be approved first and made later; by itself it does and records nothing.

        Raises:
            ValueError: if `fn` or `undo` is not importable.
            TypeError: if `fn` does not take these arguments.
        """
        ...

    async def approval(self, title: str, **terms: Unpack[RunTerms]) -> Decision:
        """Wait until people have decided; hours and restarts do not matter.

        Asking again after `ChangesRequested` is the next round of the same approval.

        Raises:
            Rejected: the reject quorum was reached, or approval became impossible.
            Expired: the ladder's last rung rejected; a `Rejected`.
            ChangesRequested: with the comment.
            Cancelled: withdrawn, cancelled or revoked.
            TypeError: for a term that does not exist.
        """
        ...

    async def checkpoint(
        self,
        name: str,
        *,
        state: Mapping[str, object] | None = None,
        asked: str | Asked | None = None,
        task: str | Task | None = None,
    ) -> str:
        """Name this point, to which the run can be rolled back; the address of its snapshot.

        Args:
            name: unique among the run's checkpoints, or the newest of that name is meant.
            state: JSON worth showing and keeping: the run's memory at this point.
            asked: what an approver should read: a summary, or that together with the decision
                needed, a recommendation, its confidence and relevant artifacts.
            task: what the run is doing now, in a person's words, or that together with its next
                steps, confidence and risk.
        """
        ...

    async def sleep(self, duration: Duration) -> None:
        """Wait without holding anything; measured from the moment it was first asked."""
        ...

    async def now(self) -> datetime:
        """The time, aware and in UTC; a replay sees the same."""
        ...

    async def random(self) -> float:
        """A number in [0, 1); a replay sees the same."""
        ...

    async def uuid(self) -> UUID:
        """A fresh name; a replay sees the same."""
        ...

    async def patched(self, name: str) -> bool:
        """Whether this run goes along with the change `name` of its code.

        True for a run that comes here for the first time, which its journal remembers, and False for
        one that had passed here when the code was changed: it goes on as it began. The answer is the
        same wherever the code asks again. Once no run answers False any more, the old way can go.
        """
        ...
