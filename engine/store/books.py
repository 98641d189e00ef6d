"""What one append changes in the budgets above a run: gathered first, and then written."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from engine.ids import RunId, TenantId
from engine.rules.accounts import Key
from engine.rules.budget import Account, Enforce, crossed, window
from engine.rules.edges import RUN_EDGES
from engine.rules.states import TERMINAL
from engine.store import budget_warnings, budgets, shortages
from engine.store.budgets import BudgetRow, UsageRow
from engine.store.database import Transaction
from engine.store.keeping_back import REMEMBERED_MAX, Held, Kept
from engine.store.lineage import Above
from engine.store.moves import Move, Moves, move_all, move_quietly
from engine.store.new_entry import NewEntry

ENDS: Final = frozenset(edge.entry_kind for edge in RUN_EDGES if edge.after in TERMINAL)


class Spender(NamedTuple):
    """The run that spends, as its row has it. `reserved` is what is kept back for it, as text.

    `revision` is that of the tenant's budgets, if it was read with the row.

    What is for each run is for the whole tree that begins with `root`, and whatever a run is charged
    to its child is charged to as well: all runs above it pay, and all their workflows.
    """

    tenant: TenantId
    run: RunId
    root: RunId
    parent: str | None
    workflow: str
    started_by: str
    reserved: str | None
    revision: str | None = None

    def scopes(self, uppers: Above, agent: str | None) -> tuple[str, ...]:
        """Whose budgets are charged, for a step that is done for `agent` below the runs `uppers`."""
        key = self.started_by.removeprefix("key:") if self.started_by.startswith("key:") else None
        named = agent or key
        found = ["tenant", f"workflow:{self.workflow}", f"run:{self.run}"]
        for each in uppers:
            found += [f"workflow:{each.workflow}", f"run:{each.id}"]
        if named is not None:
            found.append(f"agent:{named}")
        return tuple(dict.fromkeys(found))


@dataclass(slots=True)
class Books:
    """What one append changes, before any of it is written."""

    spender: Spender
    held: Held
    entries: list[NewEntry] = field(default_factory=list[NewEntry])
    rows: dict[str, BudgetRow] = field(default_factory=dict[str, BudgetRow])
    uppers: Above | None = None  # once they were asked for
    _moves: Moves = field(default_factory=Moves)
    _gone: Kept | None = None
    _asked: Kept | None = None

    def move(self, key: Key) -> Move:
        """What changes in one usage, to be added to."""
        return self._moves.of(key)

    def let_go(self, kept: Kept) -> None:
        """What was kept back is spent, as it was asked."""
        if self._gone is None:
            self._gone = kept
        else:
            _let_go(self._moves, kept)

    def keep_back(self, kept: Kept) -> None:
        """Ask for so much more."""
        if self._asked is None:
            self._asked = kept
        else:
            _keep_back(self._moves, kept)

    def moves(self) -> Moves:
        """All that changes. What it comes to when one step ends and another begins is worked out once."""
        if not self._moves:
            return _turned(self._gone, self._asked)
        if self._gone is not None:
            _let_go(self._moves, self._gone)
        if self._asked is not None:
            _keep_back(self._moves, self._asked)
        return self._moves


_Turn = tuple[Kept | None, Kept | None]
_TURNED: Final[dict[_Turn, Moves]] = {}


def _turned(gone: Kept | None, asked: Kept | None) -> Moves:
    known = _TURNED.get((gone, asked))
    if known is not None:
        return known
    moves = Moves()
    if gone is not None:
        _let_go(moves, gone)
    if asked is not None:
        _keep_back(moves, asked)
    if len(_TURNED) >= REMEMBERED_MAX:
        _TURNED.clear()
    _TURNED[gone, asked] = moves
    return moves


def _let_go(moves: Moves, kept: Kept) -> None:
    for budget, period, unit, reserved, asked in kept.charges:
        moves.of((budget, period, unit)).settle(reserved, spent=asked)


def _keep_back(moves: Moves, kept: Kept) -> None:
    for budget, period, unit, reserved, asked in kept.charges:
        moves.of((budget, period, unit)).ask(asked, reserved=reserved)


def write(tx: Transaction, books: Books) -> None:
    """Write every change, and add to the entries what is to be told of marks that were reached.

    Raises:
        BudgetExceeded: if something that was asked for has no room.
    """
    moves = books.moves()
    left = move_quietly(tx, moves)
    if not left:
        return
    said: list[NewEntry] = []
    done = move_all(tx, left)
    for key in sorted(left):
        after = done.get(key) or _opened_or_short(tx, books, key, moves[key])
        if after is None:
            continue
        limit = after.cap + after.granted
        reached = list(crossed(after.warned, after.spent, limit))
        if reached:
            budgets.mark_warned(tx, key, reached[-1])
            row = books.rows.get(key[0]) or budgets.get(tx, books.spender.tenant, key[0])
            if row is not None:
                account = Account(limit=limit, reserved=after.reserved, spent=after.spent)
                said += budget_warnings.warned(
                    tx, row, key, account, reached, run=books.spender.run
                )
    at = _before_the_end(books.entries)
    books.entries[at:at] = said


def _before_the_end(entries: Sequence[NewEntry]) -> int:
    return next((at for at, entry in enumerate(entries) if entry.kind in ENDS), len(entries))


def _opened_or_short(tx: Transaction, books: Books, key: Key, by: Move) -> Any:
    """What a usage holds that could not be changed at first, for it was not there yet.

    Raises:
        BudgetExceeded: if it was there, and has not enough left.
    """
    after = None
    if budgets.usage(tx, key) is None:
        _open(tx, books, key)
        after = move_all(tx, {key: by}).get(key)
    if after is None and by.asks:
        row = books.rows[key[0]]
        raise shortages.short(row, _found(tx, row, key, by), asked=by.asked)
    return after


def _open(tx: Transaction, books: Books, key: Key) -> None:
    row = books.rows[key[0]]
    period = window(row.per, tx.now, run=books.spender.root)
    begun = UsageRow(
        budget=row.id,
        period=period.key,
        unit=key[2],
        cap=row.limits[key[2]],
        granted=0,
        reserved=0,
        spent=0,
        warned=0,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
    )
    budgets.open_usage(tx, books.spender.tenant, begun)


def _found(tx: Transaction, row: BudgetRow, key: Key, by: Move) -> UsageRow:
    """The usage as it is once everything but what was asked for is done."""
    found = budgets.usage(tx, key)
    if found is None:
        raise LookupError(f"The usage {key} is gone.")
    anew = 0 if row.enforce is Enforce.AFTER else by.asked
    return replace(
        found, spent=found.spent + by.spent, reserved=found.reserved + by.reserved - anew
    )
