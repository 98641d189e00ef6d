"""Messages as rows: every place where an approval is or will be shown."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, case, insert, select, update

from engine.digest import canonical
from engine.ids import ApprovalId, MessageId, PersonId, RunId, TenantId
from engine.store.database import Transaction
from engine.store.outbox import Shown
from engine.store.prepared import Prepared
from engine.store.statements import find_among
from engine.store.tables import approvals, messages


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One place where an approval is shown. `serial` makes a person's link new when it must be."""

    id: MessageId
    channel: str
    address: str
    person: PersonId | None
    serial: int
    state: str


def insert_planned(
    tx: Transaction, tenant: TenantId, approval: ApprovalId, message: MessageRow
) -> None:
    """Store a message that is about to be posted."""
    tx.connection.execute(
        insert(messages).values(
            id=message.id,
            tenant=tenant,
            approval=approval,
            channel=message.channel,
            address=message.address,
            person=message.person,
            serial=message.serial,
            state=message.state,
            shown_version=0,
        )
    )


def renew_serials(tx: Transaction, approval: ApprovalId) -> None:
    """Make every personal link of the approval a new one."""
    tx.connection.execute(
        update(messages).where(messages.c.approval == approval).values(serial=messages.c.serial + 1)
    )


def of(tx: Transaction, approval: ApprovalId) -> list[MessageRow]:
    """The approval's messages, in the order they were planned."""
    return of_each(tx, [approval])[approval]


def of_each(tx: Transaction, wanted: Iterable[ApprovalId]) -> dict[ApprovalId, list[MessageRow]]:
    """The messages of several approvals, of each in the order they were planned."""
    found: dict[ApprovalId, list[MessageRow]] = {approval: [] for approval in wanted}
    for row in find_among(tx, messages, {}, among={"approval": found}, order_by=("id",)):
        message = MessageRow(
            id=MessageId(row.id),
            channel=row.channel,
            address=row.address,
            person=None if row.person is None else PersonId(row.person),
            serial=row.serial,
            state=row.state,
        )
        found[ApprovalId(row.approval)].append(message)
    return found


_OF_RUN = Prepared(
    select(messages.c.approval)
    .join(approvals, approvals.c.id == messages.c.approval)
    .where(approvals.c.run == bindparam("run"))
    .limit(1)
)


def are_there_of(tx: Transaction, run: RunId) -> bool:
    """Whether any approval of the run is or was shown anywhere."""
    return bool(_OF_RUN.rows(tx, {"run": run}))


def set_shown(tx: Transaction, message: MessageId, shown: Shown) -> None:
    """Remember where and how the message was shown; one that was withdrawn meanwhile stays so."""
    withdrawn = messages.c.state == "withdrawn"
    tx.connection.execute(
        update(messages)
        .where(messages.c.id == message)
        .values(
            state=case((withdrawn, "withdrawn"), else_="posted"),
            ref=canonical(dict(shown.data)).decode(),
            shown=shown.shown,
            left_out=canonical(list(shown.left_out)).decode(),
            shown_version=shown.version,
        )
    )


def set_state(tx: Transaction, message: MessageId, state: str) -> None:
    """Remember that the message was never posted (dead), or is there no more (gone)."""
    tx.connection.execute(update(messages).where(messages.c.id == message).values(state=state))
