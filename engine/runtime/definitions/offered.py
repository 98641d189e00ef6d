"""What definitions may name in this process: tasks, functions of the authors' packages, and other workflows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.rules.wording import BadRule
from engine.runtime.definitions.wording import did_you_mean
from signoff.calls import importable_name, resolve
from signoff.registry import Workflow
from signoff.tasks import tasks

Function = Callable[..., object]

OURS: Final = frozenset({"bot", "channels", "engine", "signoff"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What is there to be named. `children` says which workflows a written one starts."""

    authored: Mapping[str, Workflow]
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def workflows(self) -> set[str]:
        """The workflows that may be a child."""
        return {*self.authored, *self.children}

    def function(self, name: str) -> Function:
        """The function of that name: a registered task, or one of a package that holds workflows.

        Whoever may add a definition decides what runs here; only what authors brought can be meant.

        Raises:
            BadRule: `bad_definition`, if there is none, or it is not theirs.
        """
        module, colon, _ = name.partition(":")
        if not colon:
            found = tasks().get(name)
            if found is None:
                raise _unknown(
                    f"No task is called {name!r} here.{did_you_mean(name, tasks())} Put @task above the "
                    "function, or write module:function."
                )
            return found
        if module.partition(".")[0] not in self._packages():
            raise _unknown(
                f"{name!r} is in no package of yours. Start the server with the module that holds it: "
                f"--workflows {module}."
            )
        try:
            found = resolve(name)
            stated = importable_name(found)
        except Exception as error:  # border: importing runs the author's code
            raise _unknown(f"{name!r} cannot be found: {error}") from None
        if stated != name:
            raise _unknown(f"{name!r} is another module's. Write {stated!r}.")
        return found

    def _packages(self) -> set[str]:
        mine = (each for newest in self.authored.values() for each in (newest, *newest.others))
        held = [each.fn for each in mine] + list(tasks().values())
        return {fn.__module__.partition(".")[0] for fn in held} - OURS


def _unknown(sentence: str) -> BadRule:
    return BadRule("bad_definition", sentence)
