"""The world outside: what was done to it, what people saw, and what they were told."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A vote of which its person heard that it is recorded."""

    approval: str
    version: int
    person: str
    choice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that was done under a request id: by whom, and with which amount."""

    request: str
    run: str
    step: str
    amount: int
    by: str
    irreversible: bool
    is_held: bool  # whoever did it could still drive the run; otherwise it was on its way already
    is_undo: bool = False


@dataclass(slots=True)
class Outside:
    """A ledger that forgets nothing."""

    calls: list[Deed] = field(default_factory=list[Deed])
    effects: dict[str, Deed] = field(default_factory=dict[str, Deed])
    order: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    told: list[Told] = field(default_factory=list[Told])
    shown: dict[str, tuple[int, int, str]] = field(default_factory=dict[str, tuple[int, int, str]])
    posted: dict[str, int] = field(default_factory=dict[str, int])
    drives: dict[str, int] = field(default_factory=dict[str, int])  # begun since it got somewhere
    agents: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    doubted: set[str] = field(default_factory=set[str])  # effects somebody may have made

    def do(self, deed: Deed) -> None:
        """It happens. A target that knows the request id does it once."""
        self.calls.append(deed)
        if deed.request not in self.effects:
            self.effects[deed.request] = deed
            self.order.append(("undo" if deed.is_undo else "do", deed.run, deed.step))

    def show(self, approval: str, place: int, version: int, status: str) -> None:
        """A card is edited: an older content never takes the place of a newer one."""
        seen = self.shown.get(approval)
        if seen is None or place >= seen[0]:
            self.shown[approval] = (place, version, status)
