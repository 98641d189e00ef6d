"""Reads routes, and the webhooks they may lead to."""

from collections.abc import Collection, Mapping
from typing import Final

from bot.config.lines import Path
from bot.config.notes import Notes, Raw, called
from channels.base import ChannelMisconfigured
from channels.webhook.config import WebhookTarget, by_name
from engine.ids import PersonId, TenantId
from engine.rules.routing import CHANNELS, parse_routing
from engine.rules.wording import BadRule, is_sequence, shown
from engine.store.directory import ListedPerson

ROUTES: Final = ("default", "operators")

_WEBHOOK_KEYS: Final = ("url", "secrets", "person")


def read_webhooks(
    raw: Raw, people: Collection[str], notes: Notes, *, tenant: TenantId
) -> tuple[WebhookTarget, ...]:
    """Every `[webhooks.…]`; no secret is ever repeated."""
    found: list[WebhookTarget] = []
    for name, table, path in notes.tables(raw, "webhooks"):
        notes.only(table, path, _WEBHOOK_KEYS)
        person = notes.text(table, path, "person")
        if person is not None and person not in people:
            notes.add((*path, "person"), f"There is no [people.*] called {shown(person)}.")
        secrets = _secrets(table, path, notes)
        url = notes.text(table, path, "url")
        if url is None and "url" not in table:
            notes.add(path, f'{called(path)} has no url. Write url = "https://…".')
        if url is None or secrets is None:
            continue
        try:
            owner = None if person is None else PersonId(person)
            found.append(
                WebhookTarget(name=name, url=url, secrets=secrets, person=owner, tenant=tenant)
            )
        except ChannelMisconfigured as refused:
            key = "url" if " url " in str(refused) else "secrets"
            notes.add((*path, key), str(refused))
    try:
        by_name(found)
    except ChannelMisconfigured as refused:
        notes.add(("webhooks",), str(refused))
    return tuple(found)


def read_routes(
    raw: Raw, people: Collection[ListedPerson], webhooks: Collection[str], notes: Notes
) -> Mapping[str, Mapping[str, object]]:
    """`[routes.default]` and `[routes.operators]`, in the shape in which they are stored."""
    notes.only(notes.table(raw.get("routes", {}), ("routes",)), ("routes",), ROUTES)
    routes: dict[str, Mapping[str, object]] = {}
    for name, table, path in notes.tables(raw, "routes"):
        if name not in ROUTES:
            continue
        try:
            routing = parse_routing(table)
        except BadRule as refused:
            _blame(table, path, refused, notes)
            continue
        routes[name] = routing.to_json()
        emails = {person.id: person.email for person in people}
        for route in routing.routes:
            refusal = _refusal(route.channel, route.target, emails, webhooks)
            if refusal:
                notes.add((*path, route.channel), refusal, value=route.target)
    return routes


def _secrets(table: Raw, path: Path, notes: Notes) -> tuple[str, ...] | None:
    raw = table.get("secrets", [])
    secrets = [each for each in raw if isinstance(each, str)] if is_sequence(raw) else []
    if is_sequence(raw) and len(secrets) == len(raw):
        return tuple(secrets)
    notes.add((*path, "secrets"), 'secrets must be a list of texts: secrets = ["whsec_…"].')
    return None


def _refusal(
    channel: str, target: str, emails: Mapping[PersonId, str | None], webhooks: Collection[str]
) -> str | None:
    if channel == "webhook" and target not in webhooks:
        return f"There is no [webhooks.{target}]. There are {', '.join(webhooks) or 'none'}."
    if channel == "email" and target != "approvers" and "@" not in target:
        if target not in emails:
            return f"There is no [people.*] called {shown(target)}."
        if emails[PersonId(target)] is None:
            return f"{target} has no email. Add one to [people.{target}]."
    return None


def _blame(table: Raw, path: Path, refused: BadRule, notes: Notes) -> None:
    """Note what is wrong at each key that is wrong by itself, else at the whole table."""
    targets = {key: value for key, value in table.items() if key in CHANNELS}
    before = len(notes.problems)
    for key, value in table.items():
        alone = {**targets, key: value} if key == "after" else {key: value}
        try:
            parse_routing(alone)
        except BadRule as own:
            if key != "after" or _is_fine(targets):
                notes.add((*path, key), str(own))
    if len(notes.problems) == before:
        notes.add(path, str(refused))


def _is_fine(raw: Raw) -> bool:
    try:
        parse_routing(raw)
    except BadRule:
        return False
    return True
