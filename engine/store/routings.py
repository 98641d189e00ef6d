"""Where approvals go: the configured routings, and which channels there are."""

import json
from collections.abc import Mapping

from engine.errors import Invalid
from engine.ids import TenantId
from engine.rules.routing import Routing, parse_routing
from engine.store import presence
from engine.store.database import Transaction
from engine.store.statements import find_one
from engine.store.tables import routings

WEB = "web"  # the inbox shows every approval; nothing has to be sent for that


def named(tx: Transaction, tenant: TenantId, name: str) -> Routing:
    """The configured routing `name`; an empty one when there is none."""
    row = find_one(tx, routings, {"tenant": tenant, "name": name})
    return parse_routing({}) if row is None else parse_routing(json.loads(row.routing))


def chosen(tx: Transaction, tenant: TenantId, asked: Mapping[str, object] | None) -> Routing:
    """The routing that a request asks for, or the tenant's default.

    What the operator hides or calls material stays so, whatever the request says.

    Raises:
        Invalid: if the request's routes are not understood.
    """
    default = named(tx, tenant, "default")
    if asked is None:
        return default
    if "hide" in asked or "material" in asked:
        raise Invalid(
            "hide and material are the operator's, in [routes.default].", code="bad_routes"
        )
    wanted = parse_routing(asked)
    return Routing(routes=wanted.routes, hide=default.hide, material=default.material)


def channels(tx: Transaction) -> frozenset[str]:
    """The channels that this installation has: what some process serves, and the web."""
    return presence.known(tx, presence.CHANNEL) | {WEB}


def set_channels(tx: Transaction, names: frozenset[str]) -> None:
    """Remember that a process serves these channels; said at every start, and again and again."""
    presence.tell(tx, presence.CHANNEL, names - {WEB})
