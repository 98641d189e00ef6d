"""What the written workflows beside this file call: each deed is one line in a book, SHOP_LEDGER."""

import json
import os
from pathlib import Path

from signoff import task


@task
def validate_order(order: str, amount: str) -> dict[str, str]:
    """The order, if it is one."""
    if not order.isalnum():
        raise ValueError(f"There is no order {order!r}.")
    return {"order": order, "amount": amount}


@task
def charge_card(order: str, amount: str) -> str:
    """Take the money."""
    return _book(f"charge {amount} for {order}")


@task
def refund_card(charge: str, order: str, amount: str) -> str:
    """Give it back: the undo of `charge_card`."""
    return _book(f"refund {amount} for {order}")


@task
def reserve_stock(item: str) -> str:
    """Put one aside."""
    return _book(f"reserve {item}")


@task
def release_stock(reserved: str, item: str) -> str:
    """Put it back: the undo of `reserve_stock`."""
    return _book(f"release {item}")


@task
def ship(order: str) -> str:
    """Send the parcel."""
    return _book(f"ship {order}")


@task
def run_checks(version: str) -> dict[str, object]:
    """Whether the version is fit to be deployed, and how sure that is."""
    return {"version": version, "passed": True, "confidence": 0.95 if version != "risky" else 0.5}


@task
def deploy(version: str, to: str, replicas: int = 1) -> str:
    """Put the version into service."""
    often = f" {replicas} times" if replicas > 1 else ""
    return _book(f"deploy {version} to {to}{often}")


@task
def take_back_deployment(deployed: str, version: str, to: str, replicas: int = 1) -> str:
    """Put the version before it into service: the undo of `deploy`."""
    return _book(f"take {version} back from {to}")


@task
def transfer_budget(department: str, amount: str) -> str:
    """Give the department its money."""
    return _book(f"transfer {amount} to {department}")


@task
def publish(document: str) -> str:
    """Let everybody read it."""
    return _book(f"publish {document}")


@task
def find_backups(older_than_days: int) -> dict[str, object]:
    """Which backups nobody needs any more."""
    return {"names": [f"backup-{older_than_days + n}" for n in range(2)], "gigabytes": 100}


@task
def delete_backup(name: str) -> str:
    """Delete one; nothing brings it back."""
    return _book(f"delete {name}")


def _book(what: str) -> str:
    book = Path(os.environ.get("SHOP_LEDGER", "shop_ledger.jsonl"))
    with book.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"what": what}) + "\n")
    return what
