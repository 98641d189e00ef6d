"""What a planted defect is: where it is put, what it makes of the line, and which tests find it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Defect:
    """One line that says something else. `finds` are paths of tests, as pytest takes them."""

    about: str
    file: str
    old: str
    new: str
    finds: str


TALLY: Final = "tests/unit/test_tally.py"
PRINT: Final = "tests/durability/test_small_print.py"
RUNS: Final = "tests/engine/test_runs.py"
LEASES: Final = "tests/durability/test_leases.py"
RECEIPTS: Final = "tests/services/test_receipts.py"
SWITCHES: Final = "tests/engine/test_switches.py"
TAMPERING: Final = "tests/audit/test_tampering.py"
EGRESS: Final = "tests/unit/test_egress.py"
SEEDS: Final = (
    "tests/chaos/test_simulation.py::test_no_seed_breaks_an_invariant_and_everything_has_happened"
)
