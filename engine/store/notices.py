"""Messages that belong to no approval: deliveries to operators, and to one person."""

from datetime import timedelta

from engine.ids import PersonId, TenantId
from engine.rules.routing import Reachable, plan
from engine.store import electorates, outbox, people, routings
from engine.store.database import Transaction


def tell_operators(
    tx: Transaction, tenant: TenantId, *, event: str, title: str, text: str, path: str
) -> None:
    """Tell whoever `[routes.operators]` names; a repeated event is told again."""
    routing = routings.named(tx, tenant, "operators")
    reachable = [
        Reachable(person=person.id, email=person.email, slack=person.slack)
        for person in people.several(tx, tenant, electorates.holders(tx, tenant, "operator"))
    ]
    for target in plan(routing, reachable):
        _tell(tx, tenant, target.channel, target.address, event, title=title, text=text, path=path)


def tell_person(
    tx: Transaction,
    tenant: TenantId,
    person: PersonId,
    *,
    event: str,
    title: str,
    text: str,
    path: str,
) -> bool:
    """Send one person a mail; False when they have no address."""
    found = people.several(tx, tenant, [person])
    if not found or found[0].email is None:
        return False
    _tell(tx, tenant, "email", found[0].email, event, title=title, text=text, path=path)
    return True


def _tell(
    tx: Transaction,
    tenant: TenantId,
    channel: str,
    address: str,
    event: str,
    *,
    title: str,
    text: str,
    path: str,
) -> None:
    outbox.enqueue(
        tx,
        outbox.NewDelivery(
            tenant=tenant,
            message=None,
            channel=channel,
            address=address,
            kind="tell",
            event=event,
            payload={"title": title, "text": text, "path": path},
            due_at=tx.now + timedelta(0),
        ),
    )
