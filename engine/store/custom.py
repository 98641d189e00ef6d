"""Which kinds of deeds could be done side by side of late: for those that could not, trying only costs."""

from types import CodeType, FunctionType
from typing import Any, Final

from engine.store.work import Work

KNOWN_MAX: Final = 1_000  # kinds; beyond that all is learnt anew
TRUSTED: Final = 2.0
DOUBTED: Final = -1.0
RETRIED: Final = 0.02  # each time that a kind is passed over it is doubted so much less


class Custom:
    """Learns from what became of each kind of deed, which is the code that it runs."""

    def __init__(self) -> None:
        self._trust: dict[tuple[CodeType | type, ...], float] = {}

    def is_fit(self, work: Work[Any]) -> bool:
        """Whether to try; a kind that is passed over has its chance again after a time."""
        kind = kind_of(work.deed)
        trust = self._trust.get(kind, 0.0)
        if trust > DOUBTED:
            return True
        self._trust[kind] = trust + RETRIED
        return False

    @property
    def doubted(self) -> set[str]:
        """The names of the code of the kinds that are passed over now."""
        kinds = (kind for kind, trust in self._trust.items() if trust <= DOUBTED)
        return {
            code.__name__ if isinstance(code, type) else code.co_qualname
            for kind in kinds
            for code in kind
        }

    def learn(self, work: Work[Any], *, is_fit: bool) -> None:
        """Note whether `work` could be done beside others."""
        if len(self._trust) >= KNOWN_MAX:
            self._trust.clear()
        kind = kind_of(work.deed)
        trust = self._trust.get(kind, 0.0)
        self._trust[kind] = min(trust + 1.0, TRUSTED) if is_fit else trust - TRUSTED


def kind_of(deed: object) -> tuple[CodeType | type, ...]:
    """The code of a deed, and of what it is closed over."""
    if not isinstance(deed, FunctionType):
        return (type(deed),)
    inner = (cell.cell_contents for cell in deed.__closure__ or ())
    codes = (code for each in inner if isinstance(each, FunctionType) for code in kind_of(each))
    return (deed.__code__, *codes)
