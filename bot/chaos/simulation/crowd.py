"""People in the simulation: they look, press, press twice, and their presses travel as they like."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from bot.chaos.dice import Dice
from bot.chaos.simulation.memory import Fate, Memory, NotAnswered
from bot.chaos.simulation.outside import Outside, Told
from bot.chaos.simulation.voting import Answer, Press, cast
from engine.ids import PersonId
from engine.rules.tally import Choice

PEOPLE: Final = tuple(
    PersonId(who) for who in ("ana", "bo", "chen", "ana", "bo", "chen", "dana", "zoe", "eve")
)
CHOICES: Final = (*(Choice.APPROVE,) * 6, Choice.REJECT, Choice.ABSTAIN, Choice.REQUEST_CHANGES)
SKEWS: Final = tuple(timedelta(minutes=m) for m in (-10, 0, 10))


class Crowd:
    """Everybody who might vote, and the wires between them and the doors."""

    def __init__(self, memory: Memory, outside: Outside, dice: Dice) -> None:
        self._memory, self._outside, self._dice = memory, outside, dice
        self._wires: list[Press] = []
        self._seen: dict[str, list[tuple[int, str]]] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether presses are on their way."""
        return bool(self._wires)

    def look(self) -> None:
        """Remember each version that there was: somebody may still have it before them."""
        for row in self._memory.approvals:
            seen = self._seen.setdefault(row.id, [])
            if not seen or seen[-1] != (row.version, row.digest):
                seen.append((row.version, row.digest))

    def press(self) -> str:
        """Somebody presses a button of some version that they saw."""
        if not self._seen:
            return "nobody has anything to press"
        approval = self._dice.one_of(sorted(self._seen))
        seen = self._seen[approval]
        version, digest = self._dice.one_of(seen) if self._dice.chance(0.3) else seen[-1]
        who, choice = self._dice.one_of(PEOPLE), self._dice.one_of(CHOICES)
        press = Press(approval=approval, version=version, digest=digest, person=who, choice=choice)
        self._wires.append(press)
        return f"{who} presses {choice} on version {version}"

    def deliver(self, fate: Callable[[], Fate]) -> str:
        """Some presses arrive together, in any order; some of them will arrive once more."""
        wanted = [
            self._draw() for _each in range(1 + int(self._dice.fraction() * 3)) if self._wires
        ]
        if not wanted:
            return "nothing arrives"
        answers: list[tuple[Press, Answer]] = []
        skew = self._dice.one_of(SKEWS)

        def deed_of(press: Press) -> Callable[[Memory], Answer]:
            def deed(memory: Memory) -> Answer:
                answer = cast(memory, press, clock=memory.now + skew)
                answers.append((press, answer))
                return answer

            return deed

        try:
            self._memory.write_together([deed_of(press) for press in wanted], fate())
        except NotAnswered:
            self._wires += [press for press in wanted if self._dice.chance(0.5)]
            if self._memory.laws.answers_after_commit:
                return f"{len(wanted)} votes are not confirmed"
        self._tell(answers)
        said = ", ".join(f"{press.person} hears {answer}" for press, answer in answers)
        return said or "nobody is answered"

    def _draw(self) -> Press:
        at = int(self._dice.fraction() * len(self._wires))
        return self._wires[at] if self._dice.chance(0.2) else self._wires.pop(at)

    def _tell(self, answers: list[tuple[Press, Answer]]) -> None:
        self._outside.told += [
            Told(
                approval=press.approval,
                version=press.version,
                person=press.person,
                choice=press.choice,
            )
            for press, answer in answers
            if answer in {Answer.RECORDED, Answer.REPEATED}
        ]
