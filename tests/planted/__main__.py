"""`python3 -m tests.planted`: plants every defect, one after the other, and says which are found."""

import sys
import time

from tests.planted.defects import DEFECTS
from tests.planted.planting import is_found, nursery


def main(words: list[str]) -> int:
    """Those whose sentence has all `words` in it; 0 if each of them was found."""
    wanted = [each for each in DEFECTS if all(word in each.about for word in words)]
    found = 0
    with nursery() as copy:
        for defect in wanted:
            began = time.perf_counter()
            is_well = is_found(copy, defect)
            found += is_well
            said = "found" if is_well else "NOT FOUND"
            took = time.perf_counter() - began
            sys.stdout.write(f"{said} in {took:.0f} s: {defect.about} ({defect.file})\n")
            sys.stdout.flush()
    sys.stdout.write(f"{found}/{len(wanted)}\n")
    return 0 if found == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
