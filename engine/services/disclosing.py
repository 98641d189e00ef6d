"""What is held on a person, for handing it to them: part by part, as JSON."""

from collections.abc import Mapping

from engine.errors import Invalid
from engine.ids import PersonId, TenantId
from engine.store import disclosure, people
from engine.store.database import Transaction


def page(
    tx: Transaction, tenant: TenantId, person: PersonId, *, part: str | None
) -> tuple[list[Mapping[str, object]], str | None]:
    """One part of what is held on `person`, the first without a name, and the name of the next.

    What others wrote is in it only where it names them. Of somebody who was erased it is what is left.

    Raises:
        NotFound: if there is no such person. Invalid: `bad_cursor`, if there is no such part.
    """
    people.find(tx, tenant, person)
    known = disclosure.parts()
    wanted = known[0] if part is None else part
    if wanted not in known:
        raise Invalid(f"There is no part {wanted[:40]!a}.", code="bad_cursor")
    following = known.index(wanted) + 1
    rows = list(disclosure.of(tx, tenant, person, wanted))
    return rows, known[following] if following < len(known) else None
