"""The doors people vote through, and what they were told: by the API, in Slack, by mail, by webhook."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qs

from bot.chaos.company import user
from bot.chaos.dice import Dice
from bot.chaos.watching import Seen
from bot.demo.browser import Browser
from bot.demo.hooks.deliveries import Delivery
from bot.demo.slack.line import Heard
from bot.demo.slack.messages import Message
from bot.demo.trees import parsed, record, text
from bot.demo.world import World
from engine.clock import Clock
from engine.http import plain_client

ASK_WITHIN: Final = timedelta(seconds=35)
WHISPER_WITHIN: Final = timedelta(seconds=2)
RECORDED: Final = "Recorded"
UNHEARD: Final = "unheard"
APPROVE: Final = "Approve"
NO_ANSWER: Final = frozenset({0, 429, 502, 503, 504})  # 0: nobody answered, or too late


class Fate(StrEnum):
    """What became of one request."""

    DONE = "done"
    REFUSED = "refused"  # truthfully: somebody was faster, or the rules say no
    AWAY = "away"  # no answer, or "not now": ask again
    BROKEN = "broken"  # an answer that no door should ever give
    ABSENT = "absent"  # this medium has not shown it yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. `status` is what the approval was said to be then."""

    fate: Fate
    code: str = ""
    status: str = "open"
    body: Mapping[str, Any] | None = None


class Doors:
    """Every way in; each request goes to one of the servers, as dice fall."""

    def __init__(self, world: World, bases: Sequence[str], *, clock: Clock, dice: Dice) -> None:
        self.world, self.bases = world, bases
        self.sessions: dict[str, str] = {}
        self.key = ""
        self.answers: defaultdict[str, int] = defaultdict(int)
        self.broken: list[str] = []
        self._clock, self._dice = clock, dice
        self._client = plain_client(timeout=ASK_WITHIN)
        self._cards: dict[str, Message] = {}
        self._opened: dict[tuple[str, int], Delivery] = {}
        self._read: defaultdict[str, int] = defaultdict(int)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    async def ask(
        self, method: str, path: str, body: object, *, bearer: str, key: str | None = None
    ) -> Said:
        """Send one request of a program or a terminal."""
        headers = {"authorization": f"Bearer {bearer}"}
        if key is not None:
            headers["idempotency-key"] = key
        base = self._dice.one_of(self.bases)
        try:
            answer = await self._client.request(method, base + path, json=body, headers=headers)
        except Exception as error:  # border: a killed server answers in every possible way
            return self._told(Said(fate=Fate.AWAY, code=type(error).__name__))
        return self._told(_said(answer.status_code, answer.content), f"{method} {path}")

    async def by_api(
        self, seen: Seen, person: str, choice: str, *, words: Mapping[str, object] | None = None
    ) -> Said:
        """Vote at a terminal, with changes or a form in `words` where the approval takes some."""
        body = {"choice": choice, "comment": "as agreed", "digest": seen.digest, **(words or {})}
        path = f"/api/approvals/{seen.id}/votes"
        return await self.ask("POST", path, body, bearer=self.sessions[person])

    async def by_slack(self, seen: Seen, person: str) -> Said:
        """Press Approve on the card in the room, if it is there and shows this version."""
        card = self._card(seen)
        if card is None or APPROVE not in card.buttons:
            return Said(fate=Fate.ABSENT)
        slack = self.world.slack
        slack.app_at(f"{self._dice.one_of(self.bases)}/slack/events")
        heard = await slack.people.press(user(person), card, APPROVE)
        if heard.status != 200:
            return self._told(_said(heard.status, heard.body), "POST /slack/events")
        # A press has a response URL of its own: what comes late, or of another press, is not taken
        # for the answer to this one.
        path = _answered_at(heard)

        def whispered() -> str | None:
            told = (each for each in slack.whispers(user(person)) if each.answers == path)
            return next((each.text for each in told), None)

        try:
            words = await slack.space.changes.until(whispered, patience=WHISPER_WITHIN)
        except TimeoutError:
            return self._told(Said(fate=Fate.DONE, code=UNHEARD))
        is_recorded = words.startswith(RECORDED)
        return self._told(Said(fate=Fate.DONE if is_recorded else Fate.REFUSED, code="slack"))

    async def by_mail(self, seen: Seen, person: str, choice: str) -> Said:
        """Open the mail's link, and press the page's button."""
        mails = [
            mail
            for mail in self.world.mail.mailbox.messages(f"{person}@example.com")
            if mail.message["X-Signoff-Approval"] == seen.id
        ]
        links = [link for mail in mails[-1:] for link in mail.links() if f"={choice}" in link]
        if not links:
            return Said(fate=Fate.ABSENT)
        try:
            async with Browser() as browser:
                page = await browser.open(links[0])
                if page.form is None:
                    refused = page.status < 500
                    return self._told(
                        Said(fate=Fate.REFUSED if refused else Fate.AWAY, code="page")
                    )
                typed = {"choice": choice, "comment": "as agreed"}
                done = await browser.submit(page, typed)
        except Exception as error:  # border: a killed server answers in every possible way
            return self._told(Said(fate=Fate.AWAY, code=type(error).__name__))
        said = _said(done.status, b"{}")
        return self._told(said, f"POST /respond ({done.words[:200]})" if done.status >= 500 else "")

    async def by_hook(self, seen: Seen, choice: str) -> Said:
        """Answer the event that was delivered for this version, signed."""
        delivery = self._event(seen)
        if delivery is None:
            return Said(fate=Fate.ABSENT)
        answered = await self.world.hooks.callbacks.answer(delivery, choice, "as agreed")
        if answered.status == 0:
            return self._told(Said(fate=Fate.AWAY, code=answered.reply.failure))
        return self._told(_said(answered.status, answered.reply.body), "POST /callbacks")

    def _told(self, said: Said, where: str = "") -> Said:
        self.answers[said.fate] += 1
        if said.fate is Fate.BROKEN:
            self.broken.append(f"{where} was answered {said.code}: {said.body}")
        return said

    def _card(self, seen: Seen) -> Message | None:
        for room in self.world.slack.space.conversations.values():
            new = room.messages[self._read[room.id] :]
            self._read[room.id] += len(new)
            for message in new:
                for approval in approvals_of(message):
                    self._cards[approval] = message
        card = self._cards.get(seen.id)
        is_current = card is not None and f"{seen.id}:{seen.version}:" in _values(card)
        return card if is_current else None

    def _event(self, seen: Seen) -> Delivery | None:
        events = self.world.hooks.received()
        for event in events[self._read["hooks"] :]:
            if text(event.actions, "url"):
                number = event.approval.get("version")
                if isinstance(number, int):
                    self._opened[text(event.approval, "id"), number] = event
        self._read["hooks"] = len(events)
        return self._opened.get((seen.id, seen.version))


def approvals_of(message: Message) -> set[str]:
    """The approvals that the buttons of a message would decide."""
    return {value.partition(":")[0] for value in _values(message).split() if value[:4] == "apr_"}


def _answered_at(heard: Heard) -> str:
    """The path of the response URL that a press was sent with."""
    payload = parsed(parse_qs(heard.sent.body.decode())["payload"][0])
    return text(record(payload), "response_url").partition("/respond/")[2]


def _values(message: Message) -> str:
    return " ".join(text(element, "value") for _block, element in message.elements)


def _said(status: int, content: bytes) -> Said:
    try:
        body = record(parsed(content))
    except ValueError:
        body = {}
    code = text(body, "code") or str(status)
    if status in NO_ANSWER:
        return Said(fate=Fate.AWAY, code=code, body=body)
    if status < 300:
        return Said(fate=Fate.DONE, code=code, status=text(body, "status") or "open", body=body)
    fate = Fate.BROKEN if status >= 500 else Fate.REFUSED
    return Said(fate=fate, code=code, body=body)
