"""Measures how fast the record is verified, and that more of it needs no more memory."""

import resource
import time
from typing import Final

from bot.bench.figures import Figures
from bot.bench.filling import fill
from bot.bench.ground import ground
from bot.bench.place import Place
from engine.ids import DEFAULT_TENANT
from engine.services import anchoring, auditing

KB: Final = 1024


async def verifying(place: Place, *, waiting: int) -> Figures:
    """Anchor and verify the journals of `waiting` runs, once by itself."""
    await fill(place, waiting)
    async with ground(place) as engine:
        clocked = time.perf_counter()
        made = await anchoring.anchor_all(engine.database, DEFAULT_TENANT, engine.signer)
        anchored = time.perf_counter() - clocked
        before = _most_kb()
        clocked, worked = time.perf_counter(), time.process_time()
        trusted = [engine.signer.public]
        report = await auditing.verify(engine.database, DEFAULT_TENANT, trusted=trusted)
        took, cpu = time.perf_counter() - clocked, time.process_time() - worked
    return {
        "runs": report.runs,
        "entries": report.entries,
        "anchors": len(made),
        "anchored_s": round(anchored, 3),
        "verified_s": round(took, 3),
        "entries_per_s": round(report.entries / took),
        "entries_per_cpu_s": round(report.entries / cpu),
        "damaged": report.damaged,
        "memory_grew_mb": round((_most_kb() - before) / KB, 1),
    }


def _most_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
