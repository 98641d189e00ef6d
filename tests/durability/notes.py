"""The world's ledger: lines in files, each whole before its writer goes on, and read back for the checker."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.chaos.checker.violations import Acked, Effect, Shown
from engine.clock import Clock, micros
from signoff import StepInfo


class Notes:
    """Appends to one folder's files. `life` numbers the process that writes; a real one syncs."""

    def __init__(
        self, folder: Path, clock: Clock, *, life: int = 0, is_synced: bool = False
    ) -> None:
        self.life = life
        self.folder = folder
        self._clock, self._is_synced = clock, is_synced
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._files = {
            name: os.open(folder / name, flags, 0o600)
            for name in ("effects", "acked", "shown", "made")
        }

    def done(self, step: StepInfo, name: str, *args: object, needs_consent: bool = False) -> None:
        """Something was done outside."""
        effect = Effect(
            request=step.request_id,
            name=name,
            args=args,
            needs_consent=needs_consent,
            life=self.life,
            at=micros(self._clock.now()),
        )
        self._write("effects", asdict(effect))

    def made(self, request_id: str) -> None:
        """An effect under a receipt was made."""
        self._write("made", {"request": request_id})

    def acked(self, vote: Acked) -> None:
        """Somebody was told that their vote is recorded."""
        self._write("acked", asdict(vote))

    def shown(self, *, key: str, approval: str, address: str, status: str, version: int) -> None:
        """A message arrived."""
        shown = Shown(
            key=key,
            approval=approval,
            address=address,
            status=status,
            version=version,
            life=self.life,
        )
        self._write("shown", asdict(shown))

    def close(self) -> None:
        for descriptor in self._files.values():
            os.close(descriptor)

    def _write(self, name: str, line: dict[str, Any]) -> None:
        os.write(self._files[name], f"{json.dumps(line)}\n".encode())
        if self._is_synced:
            os.fsync(self._files[name])


def count(folder: Path, name: str) -> int:
    """How many notes there are of this name, without reading them."""
    return (folder / name).read_bytes().count(b"\n")


def effects(folder: Path, *, after: int = 0) -> list[Effect]:
    """What was done, in order, but for so many of the first."""
    lines = _lines(folder / "effects", after=after)
    return [Effect(**{**line, "args": tuple(line["args"])}) for line in lines]


def made(folder: Path) -> list[str]:
    """The request ids of the receipts whose effects were made, once for each time."""
    return [str(line["request"]) for line in _lines(folder / "made")]


def acks(folder: Path) -> list[Acked]:
    """Which votes their voters were told are recorded."""
    return [Acked(**line) for line in _lines(folder / "acked")]


def messages(folder: Path) -> list[Shown]:
    """What people were shown, in order."""
    return [Shown(**line) for line in _lines(folder / "shown")]


def _lines(path: Path, *, after: int = 0) -> Iterator[dict[str, Any]]:
    for line in path.read_text().splitlines()[after:]:
        yield json.loads(line)
