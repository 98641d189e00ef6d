"""The people around a page: they open links that were sent to them, and vote."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from engine.clock import SystemClock
from tests.docs.filling import filled

PAUSE = timedelta(milliseconds=100)
LINK = re.compile(r"http://127\.0\.0\.1:[0-9]+/sign-in/[A-Za-z0-9_-]+")
CLOCK = SystemClock()


@dataclass(kw_only=True)
class People:
    """Ana and Bo, at the server at `url`, who find their links in its `log` (no mail is set up)."""

    url: str
    log: Path
    used: set[str] = field(default_factory=set)

    async def live(self, *, choice: str | None) -> None:
        """Until cancelled: confirm every sign-in link that turns up, and vote `choice` on what is open."""
        self.used |= set(self._links())
        sessions: list[str] = []
        async with httpx.AsyncClient(base_url=self.url, headers={"Origin": self.url}) as http:
            if choice is not None:
                sessions = [await self._signed_in(http, who) for who in ("ana", "bo")]
            while True:
                await self._confirm_all(http)
                for token in sessions:
                    await self._vote(http, token, str(choice))
                await CLOCK.sleep(PAUSE)

    async def _signed_in(self, http: httpx.AsyncClient, who: str) -> str:
        begun = (await http.post("/api/sign-ins", json={"person": f"{who}@example.com"})).json()
        while True:
            await self._confirm_all(http)
            answer = await http.post("/api/sign-ins/poll", json={"device": begun["device"]})
            if answer.content and "token" in answer.json():
                return str(answer.json()["token"])
            await CLOCK.sleep(PAUSE)

    async def _confirm_all(self, http: httpx.AsyncClient) -> None:
        for link in self._links():
            if link not in self.used:
                self.used.add(link)
                await http.post(link)

    async def _vote(self, http: httpx.AsyncClient, token: str, choice: str) -> None:
        bearer = {"Authorization": f"Bearer {token}"}
        waiting = await http.get("/api/approvals?approver=me", headers=bearer)
        for approval in waiting.json()["approvals"]:
            said = {"choice": choice, "digest": approval["digest"]}
            if choice == "approve" and approval["kind"] == "form":
                said["form"] = filled(approval["form"])
            await http.post(f"/api/approvals/{approval['id']}/votes", json=said, headers=bearer)

    def _links(self) -> list[str]:
        return LINK.findall(self.log.read_text(errors="replace")) if self.log.exists() else []
