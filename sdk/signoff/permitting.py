"""A server's permits, over HTTP: spent, and the keys with which they are checked."""

import uuid
from datetime import timedelta
from typing import TypeVar

import httpx
from pydantic import ValidationError

from signoff.answers import Answer
from signoff.errors import SignoffError
from signoff.permits import SpentPermit
from signoff.wire import Request, exchange

A = TypeVar("A", bound=Answer)


class PermitKey(Answer):
    """A public key, and the name that permits call it by."""

    id: str
    key: str


class PermitKeys(Answer):
    """Public keys, the newest first."""

    keys: tuple[PermitKey, ...]


class Permits:
    """The permits of a server, through `Client.permits`; spending needs a key with the scope `permits`."""

    def __init__(self, http: httpx.AsyncClient, *, retry_every: timedelta) -> None:
        self._http, self._retry_every = http, retry_every

    async def spend(
        self, token: str, spend_id: str, *, audience: str, action: str, payload: object
    ) -> SpentPermit:
        """Spend a permit, then make its effect: of all who try, one may.

        `spend_id` is your own name for it, such as that of the request that carried the permit: the
        same again is answered the same, by whatever process of yours.

        Raises:
            SignoffError: `bad_permit`, `permit_audience`, `permit_effect`, `permit_expired`, `permit_spent`,
                `permit_void` or `kill_switch`. Do not make the effect.
        """
        effect = {"audience": audience, "action": action, "payload": payload}
        spent = Request(
            method="POST",
            path="/api/permits/spend",
            body={"permit": token, "spend_id": spend_id, **effect},
            idempotency_key=str(uuid.uuid4()),  # the server knows it again by its spend id
        )
        return await self._answer(spent, SpentPermit)

    async def keys(self, tenant: str) -> list[str]:
        """The public keys of a tenant's permits, the newest first. Fetch them over https."""
        asked = Request(method="GET", path="/.well-known/signoff-permits", query={"tenant": tenant})
        answer = await self._answer(asked, PermitKeys)
        return [each.key for each in answer.keys]

    async def _answer(self, request: Request, shape: type[A]) -> A:
        body = await exchange(self._http, request, retry_every=self._retry_every)
        try:
            return shape.model_validate_json(body)
        except ValidationError:
            raise SignoffError(
                "bad_answer", 200, "The server does not answer like Signoff."
            ) from None
