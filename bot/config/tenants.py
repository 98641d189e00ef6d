"""Reads the organisations beside the installation's own, each with people and routes of its own."""

import re
from dataclasses import dataclass, field
from typing import Final

from bot.config.budgets import read_budgets
from bot.config.lines import Path
from bot.config.monitors import read_monitors
from bot.config.notes import Notes, Raw, called
from bot.config.people import read_groups, read_people, read_roles
from bot.config.routes import read_routes, read_webhooks
from channels.webhook.config import WebhookTarget
from engine.ids import DEFAULT_TENANT, TenantId
from engine.rules.monitor import Monitor
from engine.rules.wording import shown
from engine.services.tenants import SLUGS, is_slug
from engine.store.directory import Directory

SECTIONS: Final = ("people", "groups", "roles", "routes", "webhooks", "monitors", "budgets")

_WORKSPACE: Final = re.compile(r"[TE][A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTenant:
    """One organisation as the file has it. `slack_teams` are the workspaces whose clicks are its people's."""

    id: TenantId
    name: str
    slack_teams: tuple[str, ...] = ()
    directory: Directory = field(default_factory=Directory)
    webhooks: tuple[WebhookTarget, ...] = ()
    monitors: tuple[Monitor, ...] = ()


def read_tenants(raw: Raw, notes: Notes) -> tuple[ListedTenant, ...]:
    """Every `[tenants.…]`; what is wrong is noted, and a workspace belongs to one of them."""
    found = tuple(
        _tenant(name, table, path, notes)
        for name, table, path in notes.tables(raw, "tenants")
        if _is_id(name, path, notes)
    )
    claimed: dict[str, TenantId] = {}
    for tenant in found:
        for team in tenant.slack_teams:
            owner = claimed.setdefault(team, tenant.id)
            if owner != tenant.id:
                path = ("tenants", tenant.id, "slack_teams")
                notes.add(path, f"{team} belongs to [tenants.{owner}] already.", value=team)
    return found


def read_directory(
    raw: Raw, notes: Notes, *, tenant: TenantId
) -> tuple[Directory, tuple[WebhookTarget, ...]]:
    """The people, groups, roles, routes and webhooks of one tenant, wherever in the file they stand."""
    people = read_people(raw, notes)
    names = {person.id for person in people} | set(notes.table(raw.get("people", {}), ("people",)))
    webhooks = read_webhooks(raw, names, notes, tenant=tenant)
    hooks = notes.table(raw.get("webhooks", {}), ("webhooks",))
    directory = Directory(
        people=people,
        groups=read_groups(raw, names, notes),
        roles=read_roles(raw, names, notes),
        routes=read_routes(raw, people, list(hooks), notes),
        budgets=read_budgets(raw, notes, tenant=tenant),
    )
    return directory, webhooks


def _tenant(name: str, table: Raw, path: Path, notes: Notes) -> ListedTenant:
    notes.only(table, path, ("name", "slack_teams", *SECTIONS))
    title = notes.text(table, path, "name")
    if "name" not in table:
        notes.add(path, f'{called(path)} has no name. Write name = "Acme".')
    directory, webhooks = read_directory(table, notes.under(path), tenant=TenantId(name))
    return ListedTenant(
        id=TenantId(name),
        name=title or name,
        slack_teams=_teams(table, path, notes),
        directory=directory,
        webhooks=webhooks,
        monitors=read_monitors(table, notes.under(path)),
    )


def _is_id(name: str, path: Path, notes: Notes) -> bool:
    if name == DEFAULT_TENANT:
        notes.add(path, "The tenant default is the top level of this file; write its people there.")
        return False
    if not is_slug(name):
        notes.add(path, f"{shown(name)} cannot be a tenant's id: {SLUGS}.")
        return False
    return True


def _teams(table: Raw, path: Path, notes: Notes) -> tuple[str, ...]:
    where = (*path, "slack_teams")
    named = notes.texts(table.get("slack_teams", []), where)
    for team in named:
        if not _WORKSPACE.fullmatch(team):
            notes.add(where, f"{shown(team)} is no workspace's id, as in T0123.", value=team)
    return tuple(named)
