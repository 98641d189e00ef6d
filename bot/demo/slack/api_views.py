"""views.*: opening, stacking, changing and publishing modals and home tabs."""

from bot.demo.slack.blocks import Surface, is_too_large, view_problems
from bot.demo.slack.calls import Call, SlackRefuses
from bot.demo.slack.permits import Permits, Trigger
from bot.demo.slack.views import View
from bot.demo.slack.workspace import Workspace
from bot.demo.trees import Record, record, records, text


async def open_view(space: Workspace, permits: Permits, call: Call) -> Record:
    """views.open: needs a trigger id that is fresh and unused; a bad view does not use it up."""
    content = _content(space, call.nested("view"), Surface.MODAL)
    trigger = _spent(permits, call)
    return _shown(space, space.views.open(trigger.user, content))


async def push_view(space: Workspace, permits: Permits, call: Call) -> Record:
    """views.push: on top of what is open, three at most."""
    content = _content(space, call.nested("view"), Surface.MODAL)
    trigger = _spent(permits, call)
    view = space.views.push(trigger.user, content)
    if view is None:
        raise SlackRefuses("push_limit_reached")
    return _shown(space, view)


async def update_view(space: Workspace, call: Call) -> Record:
    """views.update: by `view_id` or `external_id`; a `hash` that is not the latest is refused."""
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if not view_id and not external_id:
        raise SlackRefuses("invalid_arguments", "[ERROR] missing required field: view_id")
    view = space.views.find(view_id, external_id)
    if view is None:
        raise SlackRefuses("not_found")
    if (known := call.text("hash")) and known != view.hash:
        raise SlackRefuses("hash_conflict")
    content = _content(space, call.nested("view"), Surface(text(view.content, "type")))
    space.views.replace(view, content)
    return _shown(space, view)


async def publish_view(space: Workspace, call: Call) -> Record:
    """views.publish: the home tab of one person."""
    user = call.needed("user_id")
    if user not in space.users:
        raise SlackRefuses("user_not_found")
    current = space.views.home(user)
    if current is not None and (known := call.text("hash")) and known != current.hash:
        raise SlackRefuses("hash_conflict")
    content = _content(space, call.nested("view"), Surface.HOME)
    return _shown(space, space.views.publish(user, content))


def named_view(space: Workspace, view: Record) -> Record:
    """`view` with the ids that Slack makes up where the app gave none."""
    return {**view, "blocks": space.with_ids(records(view.get("blocks")))}


def _content(space: Workspace, view: object, surface: Surface) -> Record:
    if problems := view_problems(view, surface):
        raise SlackRefuses("invalid_arguments", *problems)
    if is_too_large(view):
        raise SlackRefuses("view_too_large")
    return named_view(space, record(view))


def _spent(permits: Permits, call: Call) -> Trigger:
    trigger = permits.spend(call.needed("trigger_id"))
    if isinstance(trigger, str):
        raise SlackRefuses(trigger)
    return trigger


def _shown(space: Workspace, view: View) -> Record:
    space.changes.announce()
    return {"view": space.views.payload(view)}
