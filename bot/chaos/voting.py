"""A thousand people press at once, over all servers: one decision, and everybody is told the truth."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from bot.chaos.checker.book import Book
from bot.chaos.checker.pages import shared_book
from bot.chaos.checker.violations import violations
from bot.chaos.dice import Dice
from bot.chaos.ground import Ground, Shape, ground
from engine.http import plain_client

QUORUM: Final = 2
ASKED: Final[dict[str, object]] = {
    "title": "Go?",
    "action": "go",
    "approvers": "group:crowd",
    "quorum": QUORUM,
    "ladder": ["reject after 1h"],
    "routes": {},
}
TOGETHER: Final = 50  # a client looks through all its connections for each request
PRESSES: Final = 8  # "not confirmed, press again" is an answer, and whoever hears it does
NOT_NOW: Final = 503
ANSWER_WITHIN: Final = timedelta(seconds=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stormed:
    """How it went. `line` is for programs."""

    line: dict[str, Any]
    wrong: list[str]

    @property
    def is_well(self) -> bool:
        """Whether there was one decision, and no answer that was not true."""
        return not self.wrong


async def storm(
    url: str, shape: Shape, *, number: int, seed: str, at_once: int | None = None
) -> Stormed:
    """Have `number` people approve one approval of quorum 2, `at_once` of them (or all) together.

    All wait for one row. Whoever cannot be told in time whether theirs is recorded hears so (503,
    `not_recorded`) and presses again, which counts once: that is the truth, and is counted.

    Raises:
        Refused: `not_empty`, if the database holds tables.
        Unavailable: if it cannot be reached.
    """
    crowd = tuple(f"p{index:04}" for index in range(number))
    async with ground(url, replace(shape, workers=0, crowd=crowd), Dice(seed)) as it:
        said = await it.doors.ask("POST", "/api/approvals", ASKED, bearer=it.doors.key)
        approval = str((said.body or {}).get("id"))
        it.doors.answers.clear()
        begun = it.clock.now()
        answers = await _pressed(
            it, f"/api/approvals/{approval}/votes", crowd, asyncio.Semaphore(at_once or number)
        )
        took = it.clock.now() - begun
        book = await shared_book(url)
        decided = sum(
            entry["kind"] == "approval.decided"
            for entries in book.journals.values()
            for entry in entries
        )
        wrong = violations(book)
    told = Counter(code for code, _took in answers)
    late = sorted(took for _code, took in answers)
    wrong += _wrong(told, decided, book)
    line = {
        "votes": number,
        "at_once": at_once or number,
        "servers": len(it.servers),
        "answers": {str(code): count for code, count in told.items()},
        "every_answer": dict(it.doors.answers),
        "not_recorded_503": it.doors.answers[str(NOT_NOW)],
        "decisions": decided,
        "votes_s": round(number / took.total_seconds(), 1),
        "took_s": round(took.total_seconds(), 2),
        "p99_s": round(late[int(len(late) * 0.99)].total_seconds(), 2),
        "seed": seed,
        "violations": wrong,
    }
    return Stormed(line=line, wrong=wrong)


def _wrong(told: Counter[str], decided: int, book: Book) -> list[str]:
    wrong: list[str] = []
    if decided != 1:
        wrong.append(f"I5: it was decided {decided} times")
    counted = sum(not vote["is_late"] for vote in book["votes"])
    if counted != QUORUM or told["200"] > counted:
        wrong.append(f"I6: {counted} votes counted, and {told['200']} people heard so")
    if told.total() != told["200"] + told["already_decided"]:
        wrong.append(f"I2: people were told {dict(told)}")
    return wrong


async def _pressed(
    it: Ground, path: str, crowd: Sequence[str], room: asyncio.Semaphore
) -> list[tuple[str, timedelta]]:
    groups = [crowd[first : first + TOGETHER] for first in range(0, len(crowd), TOGETHER)]
    found = await asyncio.gather(
        *(
            _pressed_by(it, it.doors.bases[index % len(it.doors.bases)] + path, group, room)
            for index, group in enumerate(groups)
        )
    )
    return [answer for some in found for answer in some]


async def _pressed_by(
    it: Ground, url: str, group: Sequence[str], room: asyncio.Semaphore
) -> list[tuple[str, timedelta]]:
    async with plain_client(timeout=ANSWER_WITHIN) as client:

        async def press(person: str) -> tuple[str, timedelta]:
            begun = it.clock.now()
            headers = {"authorization": f"Bearer {it.doors.sessions[person]}"}
            body = {"choice": "approve", "version": 1}
            for _press in range(PRESSES):
                async with room:
                    answer = await client.post(url, json=body, headers=headers)
                it.doors.answers[str(answer.status_code)] += 1
                said: dict[str, Any] = json.loads(answer.content)
                code = str(said.get("code") or answer.status_code)
                if answer.status_code != NOT_NOW:
                    return code, it.clock.now() - begun
            return "never", it.clock.now() - begun

        return await asyncio.gather(*(press(person) for person in group))
