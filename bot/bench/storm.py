"""Measures a storm: everybody votes on one approval at the same moment, over HTTP."""

import asyncio
import json
import resource
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from bot.bench.figures import Figures, summary
from bot.bench.http_calls import Answer, Connection, bearer, connected
from bot.bench.place import PEOPLE, Place
from bot.bench.serving import serving, sign_in
from engine.ids import SystemIds

BEGINS: Final = 100  # connections that are made at once


async def storm(place: Place, *, voters: int, quorum: int) -> Figures:
    """`voters` votes of as many people at once; `quorum` of them decide, the others are told so."""
    crowd = [f"p{number:05}" for number in range(voters)]
    place.configure(PEOPLE + configuration(crowd))
    tokens = await sign_in(place, ["bench", *crowd])
    _allow_files(2 * voters + 1000)
    said = bearer(tokens.terminals["bench"])
    async with serving(place) as server:
        async with connected(server.url) as door:
            asked = await _asked(door, said, quorum)
        path = f"/api/approvals/{asked['id']}/votes"
        async with AsyncExitStack() as stack:
            doors: list[Connection] = []
            while len(doors) < voters:
                more = range(min(BEGINS, voters - len(doors)))
                doors += await asyncio.gather(
                    *(stack.enter_async_context(connected(server.url)) for _door in more)
                )
            requests = [_vote(doors[0], path, tokens.terminals[person]) for person in crowd]
            began = time.perf_counter()
            answers = await _all_at_once(doors, requests)
            took = time.perf_counter() - began
        async with connected(server.url) as door:
            kinds = await _journaled(door, asked["run"], said)
    told = Counter(_told(answer) for answer in answers)
    return {
        "voters": voters,
        "quorum": quorum,
        "decisions": kinds.count("approval.decided"),
        "answers": dict(told),
        "errors": sum(answer.status not in {200, 409} for answer in answers),
        "all_answered_s": round(took, 3),
        **summary([answer.took for answer in answers]),
    }


def _allow_files(number: int) -> None:
    """Let this process and its server have so many connections open, if the system does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        number = min(number, hard)
    if number > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def configuration(crowd: Sequence[str]) -> str:
    """People of whom each may vote."""
    people = "\n".join(
        f'[people.{person}]\nname = "Person {person}"\nemail = "{person}@example.com"'
        for person in crowd
    )
    members = ", ".join(f'"{person}"' for person in crowd)
    return f"{people}\n\n[groups.crowd]\nmembers = [{members}]\n"


async def _asked(door: Connection, said: dict[str, str], quorum: int) -> Any:
    wanted = {
        "title": "Go on?",
        "action": "bench",
        "approvers": "group:crowd",
        "quorum": quorum,
        "ladder": ["reject after 1h"],
    }
    answer = await door.post(
        "/api/approvals", wanted, {**said, "Idempotency-Key": SystemIds().new("ask")}
    )
    if answer.status != 202:
        raise RuntimeError(f"Asking was answered {answer.status}: {answer.body[:300]!r}")
    return answer.json


async def _journaled(door: Connection, run: str, said: dict[str, str]) -> list[str]:
    """The kinds of all entries of the run's journal."""
    kinds: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/api/runs/{run}/journal?limit=100"
        page = (await door.get(f"{path}&cursor={cursor}" if cursor else path, said)).json
        kinds += [entry["kind"] for entry in page["entries"]]
        cursor = page["next"]
    return kinds


def _vote(door: Connection, path: str, token: str) -> bytes:
    body = json.dumps({"choice": "approve", "version": 1}).encode()
    said = {**bearer(token), "Content-Type": "application/json"}
    return door.request("POST", path, headers=said, body=body)


async def _all_at_once(doors: Sequence[Connection], requests: Sequence[bytes]) -> list[Answer]:
    return await asyncio.gather(
        *(door.send(request) for door, request in zip(doors, requests, strict=True))
    )


def _told(answer: Answer) -> str:
    said = answer.json
    return f"{answer.status} {said.get('code') or said.get('status')}"
