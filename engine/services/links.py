"""The personal quick-action page: what its link opens, and the nonce that lets it decide once."""

from dataclasses import dataclass
from enum import StrEnum

from engine.errors import Conflict, NotFound, Refused, Superseded
from engine.ids import ApprovalId, PersonId, TenantId
from engine.rules.states import ApprovalStatus
from engine.store import links
from engine.store.database import Transaction
from engine.store.links import LinkRow, mint, revoke_for
from engine.store.tenants import at_rest

__all__ = ["LinkState", "LinkView", "mint", "nonce", "revoke_for", "spend", "view"]


class LinkState(StrEnum):
    """How a real link stands. Only `live` can decide; `ended` leaves the answer to the one door."""

    LIVE = "live"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """Whom a link addresses, and which version of which approval it shows."""

    tenant: TenantId
    approval: ApprovalId
    version: int
    person: PersonId
    state: LinkState


def view(tx: Transaction, token: str) -> LinkView:
    """What the link opens, whether or not it can still decide. Looking changes nothing.

    What mail programs leave hanging on a link does no harm: `>`, `)`, a full stop.

    Raises:
        NotFound: for whatever is no link, and for links of disabled people, without a difference.
        NotAllowed: `tenant_inactive`, if its tenant rests.
    """
    return _view(_find(tx, token))


def nonce(tx: Transaction, token: str) -> str:
    """What the page's form must send along: good for one decision, within ten minutes.

    Raises:
        NotFound: as `view` does.
    """
    fresh = tx.ids.secret()
    link = _find(tx, token)
    links.add_nonce(tx, link.tenant, fresh, link=link.hash)
    return fresh


def spend(tx: Transaction, token: str, nonce: str) -> LinkView:
    """Let the page decide, once.

    The vote belongs in the same transaction, so that the nonce is unspent when it is refused.
    An approval that ended passes: what became of it is the one door's to say.

    Raises:
        NotFound: as `view` does.
        Superseded: if the request was edited after this link was made.
        Refused: `link_revoked`, if the link was taken back.
        Conflict: `page_used`, if this page decided before; `page_expired`, if its nonce is unknown
            or older than ten minutes.
    """
    row = _find(tx, token)
    found = _view(row)
    match found.state:
        case LinkState.SUPERSEDED:
            raise Superseded("The request was edited. Open the newer message, and look again.")
        case LinkState.REVOKED:
            raise Refused("This link was taken back. Open the inbox instead.", code="link_revoked")
        case LinkState.LIVE | LinkState.ENDED:
            _spend(tx, row, nonce)
    return found


def _spend(tx: Transaction, row: LinkRow, nonce: str) -> None:
    sent = links.as_minted(nonce)
    is_used = None if sent is None else links.is_nonce_used(tx, sent, link=row.hash)
    if sent is None or is_used is None:
        raise Conflict(
            "This page has been open for too long. Open the link again.", code="page_expired"
        )
    if is_used or not links.use_nonce(tx, sent):
        raise Conflict(
            "This page has answered already. Open the link again to see where it stands.",
            code="page_used",
        )


def _find(tx: Transaction, token: str) -> LinkRow:
    row = links.find(tx, token)
    if row is None:
        raise NotFound("There is nothing here. Open the link in the message once more.")
    if not row.is_open:
        raise at_rest(row.tenant)
    return row


def _view(row: LinkRow) -> LinkView:
    return LinkView(
        tenant=row.tenant,
        approval=row.approval,
        version=row.version,
        person=row.person,
        state=_state(row),
    )


def _state(row: LinkRow) -> LinkState:
    # The end of an approval revokes its links too; whoever opens one then wants to see the outcome.
    taken_back = row.revoked_at is not None and (
        row.ended_at is None or row.revoked_at < row.ended_at
    )
    if taken_back:
        return LinkState.REVOKED
    if row.version != row.current_version:
        return LinkState.SUPERSEDED
    if row.status is not ApprovalStatus.OPEN:
        return LinkState.ENDED
    return LinkState.LIVE
