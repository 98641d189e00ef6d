"""What a personal link opens, and the one transaction in which its page decides."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.application import Application
from bot.web.pages.answers import Answer, MayVote, may_vote
from bot.web.pages.stamps import is_stamped, stamp
from engine.errors import Conflict, Refused
from engine.services import approvals, inbox, links, people, votes
from engine.services.links import LinkView
from engine.services.people import Person
from engine.services.votes import Ballot, CastReceipt
from engine.store import approvals as rows
from engine.store.database import Transaction
from engine.store.links import as_minted
from engine.store.pictures import ApprovalPicture

NONCE_FOR: Final = timedelta(minutes=10)
PAGES: Final = "respond.page"  # the source of spent nonces in the table of what happened once


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A link that exists: whose it is, what it shows, and whether its person may still answer."""

    link: LinkView
    person: Person
    picture: ApprovalPicture
    vote: MayVote

    @property
    def needs_session(self) -> bool:
        """Whether holding the link is too little: whoever reads somebody's mail holds it too."""
        return self.picture.risk == "high"


def opened(tx: Transaction, token: str) -> Opened:
    """What `token` opens. Reads only.

    Raises:
        NotFound: for whatever is no link.
    """
    link = links.view(tx, token)
    row = rows.get(tx, link.tenant, link.approval)
    return Opened(
        link=link,
        person=people.find(tx, link.tenant, link.person),
        picture=approvals.picture(tx, link.tenant, link.approval),
        vote=may_vote(tx, row, link.person),
    )


def nonce(application: Application, token: str) -> str:
    """What the page's form sends along: good once, for ten minutes. Handing it out writes nothing."""
    return stamp(application, PAGES, as_minted(token) or "")


def is_nonce(application: Application, token: str, sent: str) -> bool:
    """Whether `sent` was handed out by this link's page less than ten minutes ago."""
    text = as_minted(token) or ""
    return is_stamped(application, PAGES, text, stamped=sent, within=NONCE_FOR)


def decide(tx: Transaction, token: str, sent: str, answer: Answer) -> CastReceipt:
    """Spend the page's nonce and cast the vote, both or neither. A refusal is in the receipt.

    Raises:
        NotFound: for whatever is no link.
        Superseded, Refused: if the link was outdated or taken back.
        Conflict: `page_used`, if this page decided before.
    """
    found = opened(tx, token)
    link = found.link
    if found.needs_session:
        return _needs_session(tx, found)
    links.spend(tx, token, links.nonce(tx, token))
    if not inbox.first_time(tx, link.tenant, PAGES, sent, keep_for=2 * NONCE_FOR):
        raise Conflict("This page has answered already. See where it stands.", code="page_used")
    ballot = Ballot(
        tenant=link.tenant,
        approval=link.approval,
        person=link.person,
        choice=answer.choice,
        comment=answer.comment,
        digest=answer.digest,
        typed=answer.typed,
        version=link.version,
        channel="email",
        identified_by="link",
    )
    return votes.cast(tx, ballot)


def _needs_session(tx: Transaction, found: Opened) -> CastReceipt:
    link, refusal = found.link, Refused("Sign in to decide this.", code="sign_in_needed")
    votes.refused(
        tx, link.tenant, what=link.approval, who=link.person, why=refusal.code, channel="email"
    )
    return CastReceipt(
        recorded=False,
        counted=False,
        status=found.picture.status,
        message=str(refusal),
        refusal=refusal,
    )
