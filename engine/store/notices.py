"""Messages that belong to no approval: deliveries to operators, and to one person."""

from dataclasses import dataclass

from engine.ids import PersonId, TenantId
from engine.rules.routing import Reachable, plan
from engine.store import electorates, outbox, people, routings
from engine.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told; `path` is the page of ours where more is said."""

    event: str
    title: str
    text: str
    path: str


def tell_operators(tx: Transaction, tenant: TenantId, notice: Notice) -> None:
    """Tell whoever `[routes.operators]` names; a repeated event is told again."""
    tx.act_for(tenant)
    routing = routings.named(tx, tenant, "operators")
    operators = electorates.members_of(tx, tenant, "role", "operator")
    reachable = [
        Reachable(person=person.id, email=person.email, slack=person.slack)
        for person in people.several(tx, tenant, operators)
    ]
    for target in plan(routing, reachable):
        _tell(tx, tenant, notice, channel=target.channel, address=target.address)


def tell_person(tx: Transaction, tenant: TenantId, person: PersonId, notice: Notice) -> bool:
    """Send one person a mail; False when they have no address."""
    found = people.several(tx, tenant, [person])
    if not found or found[0].email is None:
        return False
    _tell(tx, tenant, notice, channel="email", address=found[0].email)
    return True


def _tell(tx: Transaction, tenant: TenantId, notice: Notice, *, channel: str, address: str) -> None:
    payload = {"title": notice.title, "text": notice.text, "path": notice.path}
    outbox.enqueue(
        tx,
        outbox.NewDelivery(
            tenant=tenant,
            message=None,
            channel=channel,
            address=address,
            kind="tell",
            event=notice.event,
            payload=payload,
            due_at=tx.now,
        ),
    )
