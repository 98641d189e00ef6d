"""A server's receipts, over HTTP."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar

import httpx
from pydantic import ValidationError

from signoff.answers import Answer
from signoff.errors import SignoffError
from signoff.receipts import Asking, ClaimAnswer, Receipt
from signoff.wire import Request, exchange

A = TypeVar("A", bound=Answer)


class _Issued(Answer):
    permit: str


class HttpLedger:
    """Claims and settles through `/api/receipts`; both may be sent again when an answer is lost."""

    def __init__(self, http: httpx.AsyncClient, *, retry_every: timedelta) -> None:
        self._http, self._retry_every = http, retry_every

    async def claim(self, asking: Asking) -> ClaimAnswer:
        body = {name: value for name, value in asking.to_json().items() if value is not None}
        answer = await self._post("/api/receipts", body, key=asking.token)
        return _read(ClaimAnswer, answer)

    async def permit(self, receipt: Receipt, token: str, audience: str) -> str:
        path = f"/api/receipts/{receipt.execution_id}/permit"
        body = {"token": token, "audience": audience}
        return _read(_Issued, await self._post(path, body, key=token)).permit

    async def settle(self, receipt: Receipt, ending: Mapping[str, object]) -> Receipt:
        path = f"/api/receipts/{receipt.execution_id}/settle"
        answer = await self._post(path, ending, key=f"{receipt.execution_id}-{receipt.attempt}")
        return _read(Receipt, answer)

    async def _post(self, path: str, body: Mapping[str, object], *, key: str) -> bytes:
        request = Request(method="POST", path=path, body=body, idempotency_key=key)
        return await exchange(self._http, request, retry_every=self._retry_every)


def _read(shape: type[A], body: bytes) -> A:
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        raise SignoffError("bad_answer", 200, "The server does not answer like Signoff.") from None
