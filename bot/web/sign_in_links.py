"""Sends the one-time link that signs somebody in to their own mailbox, or says it on this terminal."""

import sys

from bot.application import Application
from engine.services.sign_ins import LINK_FOR, SignIn
from engine.store import notices, tenants
from engine.store.database import Transaction
from engine.store.notices import Notice


def mail(tx: Transaction, link: SignIn, *, what: str = "") -> None:
    """Queue the mail with the link, in the transaction in which it was asked for.

    Where there are several tenants it says for which one the link is.
    """
    tenant = link.person.tenant
    house = tenants.name_among_several(tx, tenant)
    where = "Signoff" if house is None else f"Signoff of {house}"
    tx.act_for(tenant)
    minutes = round(LINK_FOR.total_seconds() / 60)
    notice = Notice(
        event="sign_in.asked",
        title=f"Sign in to {where}{what}",
        text=f"This link signs you in, once, within {minutes} minutes. "
        "If you did not ask for it, leave it alone: nothing happens.",
        path=f"/sign-in/{link.token}",
    )
    notices.tell_person(tx, tenant, link.person.id, notice)


def say_here(application: Application, link: SignIn) -> None:
    """Write the link where the server was started: whoever reads that runs it."""
    url = f"{application.base_url}/sign-in/{link.token}"
    # Not through the log, which hides what signs people in.
    sys.stderr.write(
        f"\nNo mail is set up. The link that signs in {link.person.name}:\n  {url}\n\n"
    )
    sys.stderr.flush()
