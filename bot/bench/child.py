"""A measuring process: `python -m bot.bench.child WHAT URL FOLDER`, and what it needs on its first line."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.bench import crowd, switching, waiting
from bot.bench.figures import Figures
from bot.bench.place import Place


async def measure(what: str, place: Place, given: Mapping[str, Any]) -> Figures:
    """The figures of one measurement.

    Raises:
        ValueError: if there is no such measurement.
    """
    match what:
        case "decisions":
            sample = [waiting.copied(run, approval) for run, approval in given["sample"]]
            return await waiting.decisions(place, sample)
        case "share":
            return await crowd.share(place, crowd.Share(**given))
        case "drive":
            return await switching.drive(place)
        case _:
            raise ValueError(what)


if __name__ == "__main__":
    told = json.loads(sys.stdin.readline())
    here = Place(url=sys.argv[2], folder=Path(sys.argv[3]))
    print(json.dumps(asyncio.run(measure(sys.argv[1], here, told))), flush=True)
