"""What the store is told before anything runs: who there is, which channels, and that dead owners hold nothing."""

from bot.config.reading import Configuration
from engine.ids import DEFAULT_TENANT
from engine.services import configuration, deliveries, tenants, tending
from engine.services.configuration import Directory
from engine.store.database import Transaction
from engine.store.routings import set_channels


def tell(tx: Transaction, listed: Configuration | None, channels: frozenset[str]) -> None:
    """Keep what `signoff.toml` says, where it is read, and which channels there are."""
    if listed is not None:
        _apply(tx, listed)
    set_channels(tx, channels)


def _apply(tx: Transaction, listed: Configuration) -> None:
    directories = {DEFAULT_TENANT: listed.directory}
    for tenant in listed.tenants:
        tenants.keep(tx, tenant.id, name=tenant.name)
        directories[tenant.id] = tenant.directory
    # Whom the file names no longer goes from there as from everywhere; what the API added stays.
    for known in tenants.listing(tx):
        tx.act_for(known.id)
        configuration.apply(tx, known.id, directories.get(known.id, Directory()))


def free_all(tx: Transaction) -> None:
    """Free what was held: the sole owner of a file begins, and whoever held a lease before is dead."""
    tending.free_all(tx)
    deliveries.free_all(tx)
