"""Why a run may not go on, told with the title and the names that people know."""

from engine.ids import TenantId
from engine.rules.reasons import without_consent
from engine.store import approvals, sealing, subjects
from engine.store.database import Transaction
from engine.store.journal import Entry


def why(tx: Transaction, tenant: TenantId, decided: Entry) -> str:
    """The sentence for an `approval.decided` that gave no consent, to be kept in a journal.

    People in it are called by their names, and what they said is read, when it is shown; ids stay
    where no name is known.

    Raises:
        NotFound: if this tenant has no such approval.
    """
    data = decided.data
    row = approvals.get(tx, tenant, data["approval"])
    by: list[str] = data["by"]
    names = subjects.names_of(tx, tenant, by)
    return without_consent(
        row.content.title,
        data["outcome"],
        by=[names.get(who, who) if ":" in who else sealing.named(who) for who in by],
        comment=data["comment"],
        rule=data["rule"],
    )
