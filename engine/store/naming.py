"""Names of deeds: which functions of the services a transaction went through, for whoever armed a failpoint."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Final, TypeVar

from engine.store.database import Transaction

T = TypeVar("T")

_SERVICES: Final = "engine.services."


def named(deed: Callable[[Transaction], T], tx: Transaction) -> T:
    """What `deed` gives. Each public function of a service that it calls is noted in `tx.deeds`.

    It looks at every call and is slow: for tests and drills alone.
    """

    def note(frame: FrameType, event: str, _given: object) -> None:
        home = str(frame.f_globals.get("__name__"))
        code = frame.f_code
        if event != "call" or not home.startswith(_SERVICES) or code.co_name.startswith(("_", "<")):
            return
        if code.co_argcount and frame.f_locals.get(code.co_varnames[0]) is tx:
            tx.deeds.add(f"{home.removeprefix(_SERVICES)}.{code.co_name}")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        return deed(tx)
    finally:
        sys.setprofile(before)
