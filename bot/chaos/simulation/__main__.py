"""`python3 -m bot.chaos.simulation`: plays many seeds, or one of them line by line."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

from bot.chaos.simulation.judging import Broken
from bot.chaos.simulation.laws import LAWS, NAMES, without
from bot.chaos.simulation.playing import Play


def main(arguments: Sequence[str] | None = None) -> int:
    """Play; 1 if an invariant broke in any seed."""
    parser = argparse.ArgumentParser(prog="python3 -m bot.chaos.simulation", description=__doc__)
    parser.add_argument("--seed", default="0", help="the first seed, or the one that is meant")
    parser.add_argument("--seeds", type=int, default=1, help="how many, counted on from --seed")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--without", choices=NAMES, help="take one law away, to see it missed")
    said = parser.parse_args(arguments)
    laws = LAWS if said.without is None else without(said.without)
    first = int(said.seed)
    began, kinds, faults, broken = time.perf_counter(), Counter[str](), Counter[str](), 0
    for seed in range(first, first + said.seeds):
        play = Play(str(seed), laws, keeps_trace=said.trace)
        try:
            play.play()
        except Broken as finding:
            broken += 1
            play.trace.append(f"seed {seed}: {finding}")
        kinds += play.seen
        faults += play.faults
        sys.stdout.write("".join(f"{line}\n" for line in play.trace))
    took = time.perf_counter() - began
    counts = {"kinds of entries": len(kinds), "entries": kinds.total(), **faults}
    sys.stdout.write(
        f"{said.seeds} seeds in {took:.1f} s ({said.seeds / took:.0f}/s), {broken} broken: {counts}\n"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
