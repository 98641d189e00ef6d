"""Tells those who follow a run that it waits, is stuck or has ended, in the transaction in which that happens."""

import json
from collections.abc import Sequence
from typing import Any

from engine.digest import canonical
from engine.ids import RunId, TenantId
from engine.rules.following import NOTABLE, Follower
from engine.rules.sandboxes import marked
from engine.store import outbox
from engine.store.database import Transaction
from engine.store.new_entry import NewEntry


def written(followers: Sequence[Follower]) -> str | None:
    """Followers as their run's row keeps them; None for none."""
    if not followers:
        return None
    return canonical([each.to_json() for each in followers]).decode()


def read(kept: str | None) -> tuple[Follower, ...]:
    """What `written` made."""
    return tuple(Follower(**each) for each in json.loads(kept or "[]"))


def tell(tx: Transaction, run: RunId, row: Any, entries: Sequence[NewEntry]) -> None:
    """Put a message for each follower in the outbox, for each of `entries` that is notable."""
    if row.notify is None:
        return
    for entry in entries:
        if entry.kind in NOTABLE:
            for follower in read(row.notify):
                _tell(tx, run, row, entry, follower)


def _tell(tx: Transaction, run: RunId, row: Any, entry: NewEntry, follower: Follower) -> None:
    event, words = NOTABLE[entry.kind]
    approval = entry.data.get("approval") if entry.kind == "approval.opened" else None
    about = {"id": run, "workflow": row.workflow, "approval": approval, "event": event}
    workflow = row.workflow
    if row.sandbox is not None:
        about |= {"sandbox": True}
        workflow = marked(workflow)
    named = "" if entry.kind != "approval.opened" else f" of {entry.name}"
    payload = {
        "title": f"{workflow} {words}",
        "text": f"Run {run} {words}{named}.",
        "path": f"/runs/{run}" if approval is None else f"/approvals/{approval}",
        "run": about,
    }
    outbox.enqueue(
        tx,
        outbox.NewDelivery(
            tenant=TenantId(row.tenant),
            message=None,
            channel=follower.channel,
            address=follower.address,
            kind="tell",
            event=event,
            payload=payload,
            due_at=tx.now,
        ),
    )
