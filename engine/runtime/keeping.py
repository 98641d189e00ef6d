"""Checkpoints on the way: those that the code asks for, and those that its workflow wants by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.runtime.snapshots import Told, snapshot
from engine.runtime.unwritten import Unwritten
from engine.runtime.wanted import Wanted
from engine.services import keeping
from engine.services.driving import Driven
from engine.store.journal import Entry
from engine.store.runs import RunRow
from signoff.layers import check_layers
from signoff.manners import Manner


class Keeper:
    """Makes the checkpoints of one drive of one run."""

    def __init__(self, driven: Driven, unwritten: Unwritten, run: RunRow, manner: Manner) -> None:
        self._driven, self._unwritten, self._run = driven, unwritten, run
        self._manner = manner

    async def keep(self, path: str, told: Told) -> str:
        """Keep what the code asks for at `path`; gives the snapshot's address.

        Raises:
            TypeError, ValueError: if a layer says what it cannot.
        """
        check_layers(told.asked, told.task)
        return await self._write(path, told, is_asked=True)

    async def before_step(self, wanted: Wanted) -> None:
        """Make the checkpoint before a step with an undo or a decision, where the workflow wants one.

        After a crash in between there may be two of them, which mean the same place.
        """
        matters = wanted.call.undo is not None or wanted.options.approved is not None
        if self._manner.checkpoints == "steps" and matters and not wanted.known:
            told = Told(name=f"before {wanted.name}", state={})
            await self._write(wanted.path, told, is_asked=False)

    async def before_approval(
        self, path: str, name: str, terms: Mapping[str, Any], known: Sequence[Entry]
    ) -> None:
        """Make the checkpoint before people are asked, where the workflow wants one."""
        if self._manner.checkpoints is not None and not known:
            told = Told(name=f"before {name}", state=terms.get("details") or {})
            await self._write(path, told, is_asked=False)

    async def _write(self, path: str, told: Told, *, is_asked: bool) -> str:
        driven = self._driven
        wanted = keeping.Keeping(
            tenant=driven.tenant,
            run=driven.run,
            token=driven.token,
            name=told.name,
            path=path,
            is_asked=is_asked,
        )
        address = await self._unwritten.write(
            lambda tx, before: keeping.keep(
                tx, wanted, lambda journal: snapshot(self._run, journal, told), before=before
            )
        )
        return f"artifact:{address}"
