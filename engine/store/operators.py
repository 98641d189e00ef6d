"""Telling the operators: `[routes.operators]`, and one notice at a time for each place."""

from datetime import timedelta

from engine.ids import PersonId, TenantId
from engine.rules.routing import Reachable, plan
from engine.store import electorates, outbox, people, routings
from engine.store.database import Transaction

GATHERED = timedelta(seconds=20)  # what goes wrong together is told together


def tell(tx: Transaction, tenant: TenantId, *, title: str, text: str) -> None:
    """Queue `text` for every address of the operators' routing; without one nobody is told.

    What is told within twenty seconds goes out as one notice, the latest, so that a medium that
    fails everywhere at once does not flood them.
    """
    routing = routings.named(tx, tenant, "operators")
    named = {PersonId(route.target) for route in routing.routes}
    asked = named | electorates.members_of(tx, tenant, "role", "operator")
    reachable = [
        Reachable(person=person.id, email=person.email, slack=person.slack)
        for person in people.several(tx, tenant, asked)
        if person.is_active
    ]
    for target in plan(routing, reachable):
        outbox.enqueue(
            tx,
            outbox.NewDelivery(
                tenant=tenant, message=None, channel=target.channel, address=target.address,
                kind="tell", event="operators.told", due_at=tx.now + GATHERED,
                payload={"title": title, "text": text},
            ),
        )  # fmt: skip
