"""Drives one claimed run as far as it goes: from the top, through its journal, to the next wait or its end."""

import asyncio
from contextlib import suppress
from functools import partial

import structlog

from engine.clock import Clock
from engine.errors import (
    Fault,
    Invalid,
    KillSwitchTriggered,
    LeaseLost,
    RunHeld,
    Unavailable,
    WorkflowChanged,
)
from engine.http import Egress
from engine.ids import Ids
from engine.rules.states import RunStatus
from engine.runtime import ending, raising, reconciling, recovering
from engine.runtime.attempts import dumped
from engine.runtime.calling import Caller
from engine.runtime.compensating import Undoer
from engine.runtime.context import RunContext
from engine.runtime.halts import Halts
from engine.runtime.proofs import Proofs
from engine.runtime.signals import (
    HandedBack,
    HeldUp,
    RollbackOrdered,
    Suspended,
    is_being_cancelled,
)
from engine.runtime.texts import Texts, sentence
from engine.runtime.workflows import BUILT_IN, Workflows, ask
from engine.secrets import Secrets
from engine.services import driving, halting, reasons
from engine.services.approvals import ASK, OpenCap
from engine.services.raises import RAISE
from engine.services.signals import RECONCILE
from engine.store.database import Database
from engine.store.going_back import Order
from engine.store.runs import Claim
from signoff.manners import PLAIN, Manner
from signoff.outcomes import ApprovalEnded

log = structlog.get_logger("engine.runtime")


class Executor:
    """Turns a claim into progress. It holds nothing between two claims."""

    def __init__(
        self,
        database: Database,
        workflows: Workflows,
        clock: Clock,
        ids: Ids,
        *,
        egress: Egress | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._database, self._workflows = database, workflows
        self._egress, self._secrets = egress, secrets
        self._clock, self._ids = clock, ids
        self._is_stopping = False
        self.halts, self.proofs, self.cap = Halts(database), Proofs(database), OpenCap(0)

    def stop(self) -> None:
        """Let whatever is driven get no further than to its next deed."""
        self._is_stopping = True

    async def drive(self, claim: Claim) -> bool:
        """Drive the run until it waits, ends, or belongs to somebody else.

        Whatever goes wrong stays with this run. False means that its lease is to be given back, or
        was lost: the store was away, it was told to stop, or somebody else drives the run by now.
        """
        log.info("run.claimed", run=claim.run.id, workflow=claim.run.workflow)
        try:
            if claim.run.status is RunStatus.ROLLING_BACK:
                await self._roll_back(claim)
            else:
                await self._run_code(claim)
        except (HeldUp, RunHeld, KillSwitchTriggered):
            return await self._hold_up(claim)
        except Suspended:
            log.info("run.suspended", run=claim.run.id)
        except LeaseLost:
            log.info("run.lease_lost", run=claim.run.id)
            return False
        except HandedBack:
            log.info("run.handed_back", run=claim.run.id)
            return False
        except Unavailable as error:
            log.warning("run.store_away", run=claim.run.id, reason=str(error))
            return False
        return True

    async def _hold_up(self, claim: Claim) -> bool:
        tenant, run = claim.run.tenant, claim.run.id
        await self.halts.look()  # so that what was released meanwhile is not held up again
        try:
            await self._database.of(tenant).write(
                lambda tx: halting.hold_up(tx, tenant, run, claim.token)
            )
        except LeaseLost:
            log.info("run.lease_lost", run=run)
            return False
        except Unavailable as error:
            log.warning("run.store_away", run=run, reason=str(error))
            return False
        log.info("run.held_up", run=run)
        return True

    async def _run_code(self, claim: Claim) -> None:
        context = RunContext(
            claim,
            database=self._database.of(claim.run.tenant),
            clock=self._clock,
            ids=self._ids,
            stops=lambda: self._stops(claim),
            manner=self._manner(claim),
        )
        context.caller.egress, context.asker.cap = self._egress, self.cap
        context.caller.demand_lease = partial(self.proofs.demand, context.driven)
        context.caller.secrets = self._secrets or context.caller.secrets
        context.may_start(self._workflows.of(claim.run.tenant))
        await context.memory.read(Texts(self._database.of(claim.run.tenant), claim.run.tenant))
        try:
            await self._run_to_its_end(claim, context)
        except (HandedBack, HeldUp, RunHeld, KillSwitchTriggered):
            with suppress(RunHeld):
                await context.unwritten.record()
            raise

    def _stops(self, claim: Claim) -> BaseException | None:
        if self._is_stopping:
            return HandedBack()
        return HeldUp() if self.halts.is_above(claim) else None

    async def _run_to_its_end(self, claim: Claim, context: RunContext) -> None:
        try:
            result = await self._returned(claim, context)
            context.memory.check_all_asked()
            value = dumped(result, None)
        except WorkflowChanged as error:
            await ending.stop_changed(context, error)
        except (RollbackOrdered, ApprovalEnded) as ended:
            reason = await self._why(claim, ended)
            order = recovering.after_rejection(ended, claim, context, self._manner(claim), reason)
            if order is None:
                said = {"code": ending.code_of(ended), "message": reason}
                await ending.end_failed(context, said)
            else:
                await self._go_back(claim, context, order)
        except (LeaseLost, Unavailable):
            raise
        except (Exception, SystemExit, BaseExceptionGroup) as error:  # border: the author's code
            await self._fail(claim, context, error)
        else:
            await ending.complete(context, value)

    async def _returned(self, claim: Claim, context: RunContext) -> object:
        """What the code returned. It may have caught what stopped the driver, or wrapped it in a group."""
        try:
            result = await self._call(claim, context)
        except asyncio.CancelledError as error:
            context.raise_stop()
            if is_being_cancelled():
                raise
            raise Fault("The workflow cancelled itself.", code="cancelled_itself") from error
        except BaseException:  # border: the author's code may raise anything after it was stopped
            context.raise_stop()
            raise
        context.raise_stop()
        return result

    async def _call(self, claim: Claim, context: RunContext) -> object:
        if claim.run.workflow == ASK:
            return await ask(
                context, title=str(claim.run.input["title"]), action=str(claim.run.input["action"])
            )
        if claim.run.workflow == RAISE:
            return await raising.decide(context, claim)
        if claim.run.workflow == RECONCILE:
            return await reconciling.decide(context, claim)
        workflows = self._workflows.of(claim.run.tenant)
        workflow = workflows.pinned(claim.run.workflow, claim.run.version)
        try:
            arguments = workflow.parse(claim.run.input)
        except ValueError as error:
            raise WorkflowChanged(
                claim.run.id, "its input", recorded=str(dict(claim.run.input)), requested=str(error)
            ) from None
        return await workflow.fn(context, **arguments)

    async def _fail(self, claim: Claim, context: RunContext, error: BaseException) -> None:
        order = recovering.after_failure(claim, self._manner(claim), error)
        if order is None:
            await ending.end_failed(context, ending.told(error))
        else:
            await self._go_back(claim, context, order)

    async def _why(self, claim: Claim, ended: ApprovalEnded | RollbackOrdered) -> str:
        """The sentence for what ended; the exception's own, where its code made it up by itself."""
        approval = getattr(ended, "approval", None)
        of_it = (
            entry
            for entry in reversed(claim.entries)
            if entry.kind == "approval.decided" and entry.data["approval"] == approval
        )
        decided = next(of_it, None)
        if decided is None:
            return sentence(ended)
        tenant = claim.run.tenant
        return await self._database.of(tenant).read(lambda tx: reasons.why(tx, tenant, decided))

    async def _go_back(self, claim: Claim, context: RunContext, order: Order) -> None:
        await context.unwritten.write(
            lambda tx, before: driving.go_back(tx, context.driven, order, before=before)
        )
        await self._roll_back(claim)

    def _manner(self, claim: Claim) -> Manner:
        if claim.run.workflow == ASK:
            return PLAIN
        try:
            return (
                self._workflows.of(claim.run.tenant)
                .pinned(claim.run.workflow, claim.run.version)
                .manner
            )
        except Invalid:
            return PLAIN  # its code is not here, which is why it ends

    async def _roll_back(self, claim: Claim) -> None:
        database = self._database.of(claim.run.tenant)
        undoer = Undoer(
            claim=claim,
            database=database,
            clock=self._clock,
            ids=self._ids,
            caller=Caller(claim, database, self._egress, self._secrets),
        )
        undoer.caller.demand_lease = partial(self.proofs.demand, undoer.driven)
        await undoer.roll_back()


def refuse_builtin_name(names: list[str]) -> None:
    """Return if no author took a built-in workflow's name.

    Raises:
        Invalid: otherwise.
    """
    for name in BUILT_IN:
        if name in names:
            raise Invalid(
                f"{name!r} is a built-in workflow; call yours otherwise.", code="bad_workflow"
            )
