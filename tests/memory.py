"""Where the files of tests lie: in memory if there is plenty, for they are thrown away; else where the system says.

No test pulls the plug of the machine: what a killed process has written is there either way.
"""

import os
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
DISK: Final = Path("/tmp")
BYTES_MIN: Final = 8 << 30  # all tests together leave a third of it


@cache
def scratch() -> Path:
    """A folder for folders of tests; its path is short, as that of a socket must be."""
    return MEMORY if _has_room() else DISK


def _has_room() -> bool:
    try:
        kept = os.statvfs(MEMORY)
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except (AttributeError, OSError):
        return False
    available = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), "0")
    runs_programs = not kept.f_flag & getattr(os, "ST_NOEXEC", 0)
    room = min(kept.f_bavail * kept.f_frsize, int(available) << 10)
    return runs_programs and room >= BYTES_MIN and os.access(MEMORY, os.W_OK)


def of_one_run() -> Path | None:
    """A new folder in memory for this process and its children; what dead ones left there goes."""
    if scratch() != MEMORY:
        return None
    for left in MEMORY.glob(f"{_OURS}*"):
        with suppress(OSError):
            if not Path("/proc", left.name.removeprefix(_OURS)).exists():
                shutil.rmtree(left, ignore_errors=True)
    made = MEMORY / f"{_OURS}{os.getpid()}"
    made.mkdir(mode=0o700)
    return made


_OURS: Final = "signoff-tests-"
