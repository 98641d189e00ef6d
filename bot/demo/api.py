"""The server's HTTP doors as the demo's programs use them: with a key, and waiting where they can wait."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from bot.cli.connection import Doors, at_url, segment
from bot.demo.trees import Record, parsed, record, records, text
from bot.owner_socket import socket_path
from engine.http import socket_client
from signoff.answers import Approval, RunInfo

POLL: Final = timedelta(seconds=10)  # shorter than the longest wait of a client for any answer


class Line(BaseModel):
    """One entry of a run's journal."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    position: int
    kind: str
    name: str | None = None
    data: Mapping[str, object]
    at: datetime
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What a program with one API key can ask."""

    doors: Doors

    async def start(self, workflow: str, arguments: Mapping[str, object], *, key: str) -> str:
        """Start a run; the same idempotency `key` names the same run."""
        body = {"workflow": workflow, "input": dict(arguments)}
        started: Record = record(await self.doors.post("/api/runs", body, idempotency_key=key))
        return text(started, "id")

    async def run(self, id: str) -> RunInfo:
        """The run as it stands."""
        return RunInfo.model_validate(await self.doors.get(f"/api/runs/{segment(id)}"))

    async def runs(self) -> list[Record]:
        """The latest runs, newest first."""
        page: Record = record(await self.doors.get("/api/runs"))
        return records(page.get("runs"))

    async def approval(self, id: str, *, wait: timedelta = timedelta(0)) -> Approval:
        """The approval as it stands; with `wait`, as soon as it is over, or after that time."""
        seconds = round(wait.total_seconds()) or None
        found = await self.doors.get(f"/api/approvals/{segment(id)}", wait=seconds)
        return Approval.model_validate(found)

    async def decided(self, id: str, *, rounds: int = 4) -> Approval:
        """The approval once it is over; as it stands, if that takes longer than `rounds` polls."""
        seen = await self.approval(id, wait=POLL)
        while seen.is_open and rounds > 1:
            seen, rounds = await self.approval(id, wait=POLL), rounds - 1
        return seen

    async def journal(self, run: str, *, after: int = -1) -> list[Line]:
        """The run's journal behind the position `after`, to its end."""
        lines: list[Line] = []
        cursor: str | None = str(after) if after >= 0 else None
        while True:
            page = await self.doors.get(f"/api/runs/{segment(run)}/journal", cursor=cursor)
            lines.extend(Line.model_validate(entry) for entry in page["entries"])
            cursor = page["next"]
            if cursor is None:
                return lines

    async def differences(self, run: str) -> list[str]:
        """What is wrong with the run's journal, or between it and the stored state; nothing is."""
        found = await self.doors.get(f"/api/runs/{segment(run)}/replay")
        told = [str(each) for each in found["differences"]]
        return told if told or found["equal"] else ["It is not equal."]


@asynccontextmanager
async def api(url: str, key: str) -> AsyncGenerator[Api]:
    """The doors at `url` for whoever holds `key`."""
    async with at_url(url, bearer=key) as doors:
        yield Api(doors=doors)


async def new_key(database: Path, name: str, scopes: Sequence[str]) -> str:
    """An API key, made over the owner's own socket, as `signoff keys create` does.

    Raises:
        LookupError: if the server does not make one.
    """
    async with socket_client(socket_path(database)) as client:
        answer = await client.post("/api/keys", json={"name": name, "scopes": list(scopes)})
    key = text(record(parsed(answer.content)), "key")
    if not key:
        raise LookupError(f"No key was made: {answer.status_code} {answer.text}")
    return key
