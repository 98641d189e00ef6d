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
from engine.signing import Signer

SIGNER: Final = Signer(bytes(32))
KB: Final = 1024


async def verifying(place: Place, *, waiting: int) -> Figures:
    """Anchor and verify the journals of `waiting` runs, once by itself."""
    await fill(place, waiting)
    async with ground(place) as engine:
        clocked = time.perf_counter()
        made = await anchoring.anchor_all(engine.database, DEFAULT_TENANT, SIGNER)
        anchored = time.perf_counter() - clocked
        before = _most_kb()
        clocked = time.perf_counter()
        report = await auditing.verify(engine.database, DEFAULT_TENANT, trusted=[SIGNER.public])
        took = time.perf_counter() - clocked
    return {
        "runs": report.runs,
        "entries": report.entries,
        "anchors": len(made),
        "anchored_s": round(anchored, 3),
        "verified_s": round(took, 3),
        "entries_per_s": round(report.entries / took),
        "damaged": report.damaged,
        "memory_grew_mb": round((_most_kb() - before) / KB, 1),
    }


def _most_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
