"""What people are shown: which messages an approval has, and the deliveries that keep them true."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from engine.ids import MessageId, PersonId
from engine.rules.routing import Reachable, Target, parse_routing, plan
from engine.store import approvals, links, messages, outbox, people, pictures
from engine.store.approvals import ApprovalRow
from engine.store.database import Transaction
from engine.store.messages import MessageRow

ENDINGS = frozenset({"approval.decided", "approval.expired", "approval.cancelled"})
SNAPSHOT_CHANNEL = "webhook"  # the channel whose every event carries the approval as it was


def post(tx: Transaction, row: ApprovalRow, to: Callable[[], Iterable[PersonId]]) -> None:
    """Plan a message for everybody the routing reaches among `to` who has none yet."""
    routing = parse_routing(row.routing)
    if not routing.routes:
        return
    reachable = [
        Reachable(person=person.id, email=person.email, slack=person.slack)
        for person in people.several(tx, row.tenant, to())
    ]
    have = {(message.channel, message.address) for message in messages.of(tx, row.id)}
    for target in plan(routing, reachable):
        if (target.channel, target.address) not in have:
            _plan_one(tx, row, target)


def post_callback(tx: Transaction, row: ApprovalRow) -> None:
    """Plan the message to the address that whoever asked wants told of the decision."""
    if row.callback_url is not None:
        target = Target(
            channel=SNAPSHOT_CHANNEL, address=row.callback_url, person=None, after=timedelta(0)
        )
        _plan_one(tx, row, target)


def announce(
    tx: Transaction,
    row: ApprovalRow,
    event: str,
    *,
    data: Mapping[str, object] | None = None,
    only: str | None = None,
) -> None:
    """Bring every message of the approval up to date with `event`. One waiting update is enough."""
    for message in messages.of(tx, row.id):
        if message.state not in {"planned", "posted"} or only not in {None, message.channel}:
            continue
        if message.address != row.callback_url:
            _enqueue(tx, row, message, _Saying(kind="update", event=event, data=data or {}))
        elif event in ENDINGS:
            _enqueue(tx, row, message, _Saying(kind="post", event=event, data=data or {}))


def renew_links(tx: Transaction, row: ApprovalRow) -> None:
    """Give every personal message a fresh link for the approval's present version."""
    messages.renew_serials(tx, row.id)
    for message in messages.of(tx, row.id):
        _mint(tx, row, message)


def _plan_one(tx: Transaction, row: ApprovalRow, target: Target) -> None:
    message = MessageRow(
        id=MessageId(tx.ids.new("msg")),
        channel=target.channel,
        address=target.address,
        person=target.person,
        serial=1,
        state="planned",
    )
    messages.insert_planned(tx, row.tenant, row.id, message)
    _mint(tx, row, message)
    if target.address != row.callback_url:  # whoever asked knows that it is open
        opened = _Saying(kind="post", event="approval.opened", data={}, after=target.after)
        _enqueue(tx, row, message, opened)


def _mint(tx: Transaction, row: ApprovalRow, message: MessageRow) -> None:
    if message.person is not None and message.channel == "email":
        links.mint(
            tx,
            row.tenant,
            approval=row.id,
            version=row.version,
            person=message.person,
            serial=message.serial,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saying:
    kind: str
    event: str
    data: Mapping[str, object]
    after: timedelta = timedelta(0)


def _enqueue(tx: Transaction, row: ApprovalRow, message: MessageRow, saying: _Saying) -> None:
    payload = dict(saying.data)
    if message.channel == SNAPSHOT_CHANNEL:
        now = approvals.get(tx, row.tenant, row.id)
        payload["approval"] = pictures.sealed_pictures(tx, [now])[0].to_json()
    outbox.enqueue(
        tx,
        outbox.NewDelivery(
            tenant=row.tenant,
            message=message.id,
            channel=message.channel,
            address=message.address,
            kind=saying.kind,
            event=saying.event,
            payload=payload,
            due_at=tx.now + saying.after,
        ),
    )
