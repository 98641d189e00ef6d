"""What steps cost: asked of the budgets before they begin, and told when they have ended."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from engine.errors import BudgetExceeded, Invalid
from engine.rules import costs
from engine.rules.accounts import SETTLING, kept_back
from engine.rules.budget import Then
from engine.rules.costs import SECONDS, Cost
from engine.rules.durations import parse_duration
from engine.rules.money import is_currency
from engine.rules.states import WaitingReason
from engine.rules.wording import BadRule
from engine.runtime import raising
from engine.runtime.attempts import Failure
from engine.runtime.memory import last
from engine.runtime.pausing import Pausing
from engine.services.driving import Driven
from engine.store.journal import Entry
from engine.store.spent import spent_by
from signoff.outcomes import BudgetExceeded as Exceeded

if TYPE_CHECKING:
    from engine.runtime.wanted import Wanted

SHORTEST: Final = timedelta(
    seconds=1
)  # what a step without a timeout keeps back of a cap on seconds


class Spending:
    """What the steps of one drive cost. A step that says nothing of it, where nobody counts, is let be."""

    def __init__(self, driven: Driven, pausing: Pausing) -> None:
        self._driven, self._pausing, self._claim = driven, pausing, pausing.claim
        self._unwritten = pausing.unwritten
        self._is_free = self._claim.sandbox is not None  # nothing is done there, so nobody is paid
        self._read: tuple[Wanted, Cost] | None = None
        # What the last beginning, and the last end, said of one: the next most often says the same.
        self._asked: tuple[Cost | None, Mapping[str, object]] = (None, {})
        self._told: tuple[Cost | None, Mapping[str, object]] = (None, {})
        self._checked: Cost | None = None  # the last that was found to be in the run's currency
        self._currency: set[str] = (
            set()
        )  # the one of the run, once it is known; its branches share it
        self._has_looked = False  # for it in what the journal holds

    def of_branch(self, pausing: Pausing) -> "Spending":
        """The same for a branch of the run."""
        branch = Spending(self._driven, pausing)
        branch._currency = self._currency
        return branch

    async def begun(
        self,
        wanted: "Wanted",
        number: int,
        begin: Callable[[Mapping[str, object] | None], Awaitable[None]],
    ) -> None:
        """Begin the step by `begin`, with what it asks of budgets kept back in the same transaction.

        What a crash left kept back for this attempt is not kept back twice.

        Raises:
            Exceeded: if a budget has not enough left: then nothing has begun. A replay says the same.
            Suspended: if people are asked for more first.
            Invalid: `bad_cost`, `bad_money` or `mixed_currencies`, before anything has begun.
        """
        cost = self._declared(wanted)
        if self._is_free or (cost is None and not self._claim.counts_steps):
            await begin(None)
            return
        if wanted.known:
            self._demand_answer(wanted)
            if _is_kept_back(wanted.known):
                await begin(None)
                return
        try:
            await begin(self._asks(wanted, number, cost))
        except BudgetExceeded as short:
            await self._refused(wanted, short)

    def spent(
        self,
        wanted: "Wanted",
        said: Sequence[Mapping[str, object]],
        failure: Failure | None,
        *,
        took: timedelta,
    ) -> tuple[Mapping[str, object], Failure | None]:
        """What the attempt cost, as journaled with its end, and its failure, if any.

        What it said counts, unit by unit; else what was declared, unless it certainly did nothing.
        """
        if self._is_free:
            return {}, failure
        declared = self._declared(wanted)
        if not said and not self._claim.counts_steps:
            if declared is None:
                return {}, failure
            if failure is None:
                return self._as_declared(declared), None
        return self._came_to(declared or Cost(), said, failure, took)

    def _as_declared(self, declared: Cost) -> Mapping[str, object]:
        if self._told[0] is not declared:
            self._told = declared, _facts(declared.amounts, [declared], declared)
        return self._told[1]

    def _came_to(
        self,
        declared: Cost,
        said: Sequence[Mapping[str, object]],
        failure: Failure | None,
        took: timedelta,
    ) -> tuple[Mapping[str, object], Failure | None]:
        parts: list[Cost] = []
        try:
            parts = [costs.parse_cost(each) for each in said]
            self._demand_one_currency(*(part.amounts for part in parts))
        except BadRule as error:
            parts = []
            failure = failure or _bad_cost(error)
        did_nothing = failure is not None and failure.no_effect
        owed: costs.Amounts = dict[str, int]() if did_nothing else declared.amounts
        amounts = {**owed, **costs.total(part.amounts for part in parts)}
        if self._claim.counts_steps and SECONDS not in amounts:
            amounts[SECONDS] = round(took / timedelta(microseconds=1))
        paid = parts or [Cost(amounts=owed, source=declared.source)]
        return _facts(amounts, paid, declared), failure

    def _declared(self, wanted: "Wanted") -> Cost | None:
        if wanted.options.cost is None:
            return None
        if self._read is not None and self._read[0] is wanted:
            return self._read[1]  # its end comes right behind its beginning
        cost = costs.parse_cost(wanted.options.cost)
        if cost is not self._checked:  # the same one is given for the same words
            self._demand_one_currency(cost.amounts)
            self._checked = cost
        self._read = wanted, cost
        return cost

    def _demand_one_currency(self, *parts: costs.Amounts) -> None:
        named = [unit for part in parts for unit in part if is_currency(unit)]
        if self._currency and self._currency.issuperset(named):
            return
        if not self._currency and not self._has_looked:
            self._has_looked = True
            known = costs.currency_of(spent_by(self._claim.entries).total)
            self._currency |= {known} if known else set()
        costs.check_currencies(dict.fromkeys(self._currency, 0), *parts)
        told = costs.currency_of(costs.total(parts))
        self._currency |= {told} if told else set()

    def _asks(self, wanted: "Wanted", number: int, cost: Cost | None) -> Mapping[str, object]:
        if not self._claim.counts_steps and cost is not None and self._asked[0] is cost:
            return self._asked[1]
        asked = cost or Cost()
        data: dict[str, object] = {"cost": costs.to_json(asked.amounts)}
        if asked.agent is not None:
            data["agent"] = asked.agent
        if self._claim.counts_steps:
            timeout = wanted.options.timeout or SHORTEST
            limit = parse_duration(timeout) if isinstance(timeout, str) else timeout
            seconds = round(limit / timedelta(microseconds=1))
            steps = 1 if number == 1 else 0
            data["takes"] = costs.to_json({"steps": steps, "calls": 1, SECONDS: seconds})
        self._asked = cost, data
        return data

    def _demand_answer(self, wanted: "Wanted") -> None:
        """Return unless the step was refused, and nobody let it spend more since."""
        known = wanted.known
        newest = last(known, "budget.exceeded", "budget.asked", "budget.raised", "budget.kept")
        exceeded = last(known, "budget.exceeded")
        if newest is None or exceeded is None or newest.kind == "budget.raised":
            return
        if newest.kind == "budget.asked":
            # Only a branch comes here while people think: the others went on.
            approval = str(newest.data["approval"])
            self._pausing.until_ended(wanted.path, approval, WaitingReason.BUDGET)
        facts = {name: value for name, value in exceeded.data.items() if name != "error"}
        raise Exceeded(str(exceeded.data["error"]["message"]), facts=facts)

    async def _refused(self, wanted: "Wanted", short: BudgetExceeded) -> NoReturn:
        said = {**short.facts, "error": {"code": short.code, "message": str(short)}}
        exceeded = wanted.entry("budget.exceeded", said)
        if short.then == Then.WAIT:
            asking = raising.Asking(
                run=self._claim.run, exceeded=exceeded, is_branch=self._pausing.is_branch
            )
            try:
                approval = await self._unwritten.write(
                    lambda tx, before: raising.ask_for_more(tx, self._driven, asking, before, short)
                )
            except Invalid:
                pass  # there is nobody to ask, so it ends as if nobody had been
            else:
                self._pausing.until_ended(wanted.path, approval, WaitingReason.BUDGET)
        await self._unwritten.record(exceeded)
        raise Exceeded(str(short), facts=short.facts)


def _is_kept_back(known: Sequence[Entry]) -> bool:
    """Whether what the newest attempt asked for is still kept back."""
    of_it = (
        each for each in reversed(known) if each.kind in SETTLING or kept_back(each.kind, each.data)
    )
    newest = next(of_it, None)
    return newest is not None and newest.kind not in SETTLING


def _facts(amounts: costs.Amounts, paid: Sequence[Cost], declared: Cost) -> Mapping[str, object]:
    if not amounts:
        return {}
    facts: dict[str, object] = {"cost": costs.to_json(amounts)}
    sources = _by_source(paid)
    if sources:
        facts["sources"] = sources
    if declared.agent is not None:
        facts["agent"] = declared.agent
    return facts


def _by_source(parts: Sequence[Cost]) -> dict[str, object]:
    sums: dict[str, dict[str, int]] = {}
    for part in parts:
        if part.source is not None:
            sums[part.source] = costs.total([sums.get(part.source, {}), part.amounts])
    return {source: costs.to_json(amounts) for source, amounts in sums.items()}


def _bad_cost(error: BadRule) -> Failure:
    return Failure(kind=error.code, message=str(error), no_effect=False, is_final=True, cause=error)
