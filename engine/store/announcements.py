"""What people are shown: which messages an approval has, and the deliveries that keep them true."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from engine.ids import MessageId, PersonId
from engine.rules.routing import Reachable, Target, parse_routing, plan
from engine.store import approvals, drawing, links, messages, outbox, people
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
    shown = messages.of_each(tx, [row.id])
    news = News(row=row, event=event, data=data or {}, only=only)
    told = _told([news], shown)
    if any(message.channel == SNAPSHOT_CHANNEL for _news, message in told):
        news = replace(news, row=approvals.get(tx, row.tenant, row.id))
        told = [(news, message) for _news, message in told]
    _tell(tx, told, shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What every message of `row` is told, or only those of one channel. `row` is as things stand now."""

    row: ApprovalRow
    event: str
    data: Mapping[str, object] = field(default_factory=dict[str, object])
    only: str | None = None


def announce_each(tx: Transaction, news: Sequence[News]) -> None:
    """As `announce` for several approvals of one tenant."""
    shown = messages.of_each(tx, [each.row.id for each in news])
    _tell(tx, _told(news, shown), shown)


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
        snapshot: Mapping[str, object] | None = None
        if message.channel == SNAPSHOT_CHANNEL:
            now = approvals.get(tx, row.tenant, row.id)
            snapshot = drawing.sealed_pictures(tx, [now])[0].to_json()
        outbox.enqueue(tx, _delivery(tx, row, message, opened, snapshot))


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


def _told(news: Sequence[News], shown: drawing.Messages) -> list[tuple[News, MessageRow]]:
    return [
        (each, message)
        for each in news
        for message in shown[each.row.id]
        if _is_told(each, message)
    ]


def _tell(
    tx: Transaction, told: Sequence[tuple[News, MessageRow]], shown: drawing.Messages
) -> None:
    pictured = {
        each.row.id: each.row for each, message in told if message.channel == SNAPSHOT_CHANNEL
    }
    drawn = drawing.sealed_pictures(tx, list(pictured.values()), shown) if pictured else ()
    snapshots = {picture.id: picture.to_json() for picture in drawn}
    outbox.enqueue_each(
        tx,
        [
            _delivery(tx, each.row, message, _saying(each, message), snapshots.get(each.row.id))
            for each, message in told
        ],
    )


def _is_told(news: News, message: MessageRow) -> bool:
    if message.state not in {"planned", "posted"} or news.only not in {None, message.channel}:
        return False
    return message.address != news.row.callback_url or news.event in ENDINGS


def _saying(news: News, message: MessageRow) -> _Saying:
    kind = "update" if message.address != news.row.callback_url else "post"
    return _Saying(kind=kind, event=news.event, data=news.data)


def _delivery(
    tx: Transaction,
    row: ApprovalRow,
    message: MessageRow,
    saying: _Saying,
    snapshot: Mapping[str, object] | None,
) -> outbox.NewDelivery:
    payload = dict(saying.data)
    if message.channel == SNAPSHOT_CHANNEL:
        payload["approval"] = snapshot
    return outbox.NewDelivery(
        tenant=row.tenant,
        message=message.id,
        channel=message.channel,
        address=message.address,
        kind=saying.kind,
        event=saying.event,
        payload=payload,
        due_at=tx.now + saying.after,
    )
