"""After the faults: wait until everything had its time, and gather what everybody saw."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.chaos import notes
from bot.chaos.checker import progress
from bot.chaos.checker.book import Book
from bot.chaos.checker.pages import connected, shared_book
from bot.chaos.checker.violations import Canary, Crowd, Drives, Evidence, Shown, violations
from bot.chaos.doors import approvals_of
from bot.chaos.flows import STEPS
from bot.chaos.ground import Ground
from bot.chaos.load import Load
from bot.chaos.nemesis import Nemesis
from bot.chaos.telling import DESK
from bot.demo.scene import LIVE
from bot.demo.slack.messages import Message
from bot.demo.trees import record, text
from engine.digest import sha256

LOOK: Final = timedelta(seconds=1)
# A delivery that was taken up, for 90 seconds, within the last 8: its holder may be alive.
TAKEN: Final = (
    "SELECT count(*) FROM outbox "
    "WHERE status = 'pending' AND lease_expires_at > signoff_now() + interval '82 seconds'"
)
SOON: Final = timedelta(seconds=60)  # what is due this soon belongs to the load, and is waited for
AHEAD: Final = timedelta(minutes=3)  # longer than a delivery that nobody marks is held
HASTEN: Final = (
    "INSERT INTO meta (key, value) VALUES ('clock_offset', $1) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
NOW: Final = "SELECT (extract(epoch FROM signoff_now()) * 1000000)::bigint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the checker says, and the book and the lease notes that it read."""

    violations: list[str]
    book: Book
    drives: Drives


async def quiet(ground: Ground, *, within: timedelta, hastens: bool) -> list[str]:
    """Wait until nothing is under way or due soon; gives what still was when the time was over.

    What a killed process was about to deliver is held for a minute and a half. With `hastens` the
    database's clock is put forward instead, as only tests may.
    """
    limit = ground.clock.now() + within
    if hastens:
        async with connected(ground.url) as connection:
            while await connection.fetchval(TAKEN) and ground.clock.now() < limit:
                await ground.clock.sleep(LOOK)
            await connection.execute(HASTEN, f"{AHEAD.total_seconds()} seconds")
    while True:
        book = await shared_book(ground.url)
        left = list(progress.unfinished(book, await _soon(ground.url)))
        if not left or ground.clock.now() > limit:
            return left
        await ground.clock.sleep(LOOK)


async def found(ground: Ground, load: Load, nemesis: Nemesis) -> Found:
    """Read everything, and have it checked."""
    async with connected(ground.url) as connection:
        changes = await notes.changes(connection)
        written = await notes.written(connection)
        switched = await notes.switched(connection)
        now = await connection.fetchval(NOW)
    book = await shared_book(ground.url)
    drives = Drives(changes=changes, written=written, frozen=nemesis.frozen, switched=switched)
    evidence = Evidence(
        effects=ground.target.calls,
        acked=load.tally.acked,
        shown=_hooks(ground),
        names=STEPS,
        made=ground.target.made,
        canaries=[Canary(text=secret) for secret in ground.secrets if secret],
        said={child.name: child.said() for child in ground.children},
        channel="webhook",
        now=now,
        crowd=Crowd(drives=drives, posted=_posted(ground, book), live=_live(ground)),
    )
    wrong = violations(book, evidence)
    wrong += [
        f"A door gave an answer that no door may give: {each}" for each in ground.doors.broken
    ]
    wrong += [death for child in ground.children for death in child.died]
    return Found(violations=wrong, book=book, drives=drives)


async def _soon(url: str) -> int:
    async with connected(url) as connection:
        now: int = await connection.fetchval(NOW)
    return now + SOON // timedelta(microseconds=1)


def _hooks(ground: Ground) -> list[Shown]:
    known = ground.world.hooks.deliveries
    heard: list[Shown] = []
    for attempt in known.attempts:
        event = known.find(attempt.message_id)
        if event is None or attempt.status >= 300 or not event.approval:
            continue
        version = event.approval.get("version")
        heard.append(
            Shown(
                key=event.id,
                approval=text(event.approval, "id"),
                address=DESK,
                status=text(event.approval, "status"),
                version=version if isinstance(version, int) else 0,
            )
        )
    return heard


def _messages(ground: Ground) -> list[tuple[str, Message]]:
    rooms = ground.world.slack.space.conversations.values()
    return [(room.name, message) for room in rooms for message in room.messages]


def _posted(ground: Ground, book: Book) -> dict[str, frozenset[str]]:
    """The keys that arrived in Slack and by mail; a mail's id is made of its key."""
    slack = {
        text(record(message.metadata.get("event_payload")), "key")
        for _room, message in _messages(ground)
    }
    ids = {
        str(mail.message["Message-ID"]).partition("@")[0].removeprefix("<")
        for mail in ground.world.mail.mailbox.messages()
    }
    rows = book.where("outbox", channel="email")
    mailed = {row["id"] for row in rows if sha256(row["id"].encode())[-64:][:24] in ids}
    return {"slack": frozenset(slack), "email": frozenset(mailed)}


def _live(ground: Ground) -> list[tuple[str, str]]:
    return [
        (room, approval)
        for room, message in _messages(ground)
        if LIVE & set(message.buttons) and not message.deleted
        for approval in approvals_of(message)
    ]
