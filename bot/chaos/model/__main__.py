"""`python3 -m bot.chaos.model`: visits every state of the small model, or of a larger one."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import fields

from bot.chaos.model.exploring import explore
from bot.chaos.model.states import SIZES
from bot.chaos.simulation.laws import LAWS, NAMES, without


def main(arguments: Sequence[str] | None = None) -> int:
    """Explore; 1 if something that must hold does not, and then the shortest way there."""
    parser = argparse.ArgumentParser(prog="python3 -m bot.chaos.model", description=__doc__)
    parser.add_argument(
        "--size", choices=sorted(SIZES), default="ended", help="how much may happen"
    )
    parser.add_argument("--states", type=int, help="no more than so many")
    parser.add_argument("--without", choices=NAMES, help="take one law away, to see it missed")
    said = parser.parse_args(arguments)
    laws = LAWS if said.without is None else without(said.without)
    began = time.perf_counter()
    found = explore(SIZES[said.size], laws, states_max=said.states)
    line = {each.name: getattr(found, each.name) for each in fields(found)}
    line["seconds"] = round(time.perf_counter() - began, 1)
    sys.stdout.write(f"{json.dumps(line)}\n")
    return 0 if found.broken is None else 1


if __name__ == "__main__":
    sys.exit(main())
