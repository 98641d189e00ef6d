"""Measures what it costs to have many runs wait for people: memory, disk, decisions and pages."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.bench.children import measured_apart
from bot.bench.figures import Figures, rss_mb, summary
from bot.bench.filling import Filled, fill
from bot.bench.gated import timed, warm_up
from bot.bench.ground import ground
from bot.bench.http_calls import Connection, bearer, connected
from bot.bench.place import Place
from bot.bench.serving import Tokens, serving, sign_in
from engine.ids import ApprovalId, RunId
from engine.store.copies import Copied

FEW: Final = 100
PATIENCE_S: Final = 5.0  # for one page
PAGES: Final = {
    "api_open": "/api/approvals?status=open",
    "api_mine": "/api/approvals?status=open&approver=person:bench",
    "api_runs": "/api/runs",
    "api_stats": "/api/stats",
    "web_mine": "/approvals",
    "web_open": "/approvals?view=open",
    "web_runs": "/runs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many wait, how many decisions are timed, and how often each page is asked for."""

    waiting: int
    probes: int
    pages: int


async def waiting(place: Place, sizes: Sizes) -> Figures:
    """Everything with a hundred waiting, then the same with many."""
    tokens = await sign_in(place)
    few = await _with(place, FEW, sizes, tokens)
    many = await _with(place, sizes.waiting - FEW, sizes, tokens)
    return {
        "waiting": sizes.waiting,
        "few": few,
        "many": many,
        "filled_s": many["filled_s"],
        "rss_growth_mb": _difference(few, many, "server_rss_mb"),
        "engine_rss_growth_mb": _difference(few, many, "engine_rss_mb"),
        "disk_kb_run": round(_number(many, "grew_bytes") / (sizes.waiting - FEW) / 1e3, 2),
    }


async def decisions(place: Place, sample: list[Copied]) -> Figures:
    """An engine that knows nothing yet decides some of those that wait; its memory, then."""
    async with ground(place) as engine:
        await warm_up(engine)
        taken = [await timed(engine, each.run, each.approval) for each in sample]
        return {"decision": summary(taken), "engine_rss_mb": rss_mb()}


async def _with(place: Place, more: int, sizes: Sizes, tokens: Tokens) -> Figures:
    began = time.perf_counter()
    before = await _size(place)
    filled = await fill(place, more)
    took, grew = time.perf_counter() - began, await _size(place) - before
    step = max(1, len(filled.sample) // sizes.probes)
    chosen = filled.sample[::step][: min(sizes.probes, more // 2)]
    apart = await measured_apart(
        place, "decisions", {"sample": [[each.run, each.approval] for each in chosen]}
    )
    return {
        "filled_s": round(took, 2),
        "grew_bytes": grew,
        **apart,
        **await _served(place, sizes, tokens),
    }


async def _served(place: Place, sizes: Sizes, tokens: Tokens) -> Figures:
    """The pages of a server that has just been started, and its memory when they were shown."""
    pages: Figures = {}
    async with serving(place) as server, connected(server.url) as door:
        for name, path in PAGES.items():
            said = bearer(tokens.terminals["bench"])
            if not path.startswith("/api"):
                said = {"Cookie": f"signoff={tokens.browser}"}
            pages[name] = summary(await _asked_for(door, path, said, sizes.pages))
        return {"pages": pages, "server_rss_mb": rss_mb(server.pid)}


async def _asked_for(
    door: Connection, path: str, said: Mapping[str, str], times: int
) -> list[float]:
    """How long the page took each time; asked for less often where it is slow."""
    taken: list[float] = []
    while len(taken) < times and (sum(taken) < PATIENCE_S or len(taken) < 2):
        answer = await door.get(path, said)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:300]!r}")
        taken.append(answer.took)
    return taken


async def _size(place: Place) -> int:
    async with ground(place) as engine:
        return await place.size(engine.database)


def _difference(few: Figures, many: Figures, name: str) -> float:
    return round(_number(many, name) - _number(few, name), 1)


def _number(figures: Figures, name: str) -> float:
    value = figures[name]
    return float(value) if isinstance(value, int | float) else 0.0


def copied(run: str, approval: str) -> Copied:
    """A run that waits, by its names."""
    return Copied(run=RunId(run), approval=ApprovalId(approval))


__all__ = ["Filled", "Sizes", "copied", "decisions", "waiting"]
