"""Receipts for code inside the server: effects are claimed and settled in the database itself."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import override

from engine.errors import Conflict, Invalid
from engine.ids import TenantId
from engine.services import claiming, permits, receipts
from engine.services.claiming import Asked, Claimed
from engine.services.permits import Wanted
from engine.services.receipts import Ending
from engine.store.database import Database
from signoff.errors import SignoffError
from signoff.receipts import LEASE, Asking, ClaimAnswer, Ledger, Receipt, Receipts

_ENDING: TypeAdapter[Ending] = TypeAdapter(Ending)


def receipts_in(database: Database, tenant: TenantId, *, by: str) -> Receipts:
    """The receipts of one tenant, as `await receipts.once(request_id, action, payload, effect)`.

    `by` is who claims, as in `worker:…`.
    """
    return Receipts(OwnLedger(database.of(tenant), tenant, by))


class OwnLedger(Ledger):
    """The receipts of one tenant in the database itself."""

    def __init__(self, database: Database, tenant: TenantId, by: str) -> None:
        self._database, self._tenant, self._by = database, tenant, by

    @override
    async def claim(self, asking: Asking) -> ClaimAnswer:
        terms = asking.terms
        asked = Asked(
            tenant=self._tenant,
            namespace=terms.get("namespace", "default"),
            request_id=asking.request_id,
            action=asking.action,
            payload=asking.payload,
            token=asking.token,
            by=self._by,
            lease_for=terms.get("lease", LEASE),
            effect=terms.get("name"),
            requires=terms.get("requires"),
            outcome=terms.get("outcome"),
            records=asking.records,
        )
        claimed = await self._database.write(lambda tx: claiming.claim(tx, asked))
        return ClaimAnswer.model_validate(answered(asked, claimed))

    @override
    async def permit(self, receipt: Receipt, token: str, audience: str) -> str:
        execution, wanted = receipt.execution_id or "", Wanted(token=token, audience=audience)
        try:
            issued = await self._database.write(
                lambda tx: permits.issue(tx, self._tenant, execution, wanted)
            )
        except (Conflict, Invalid) as error:
            raise SignoffError(error.code, 409, str(error)) from error
        return issued.token

    @override
    async def settle(self, receipt: Receipt, ending: Mapping[str, object]) -> Receipt:
        execution = receipt.execution_id or ""
        said: dict[str, Any] = {"by": self._by, **ending}
        try:
            row = await self._database.write(
                lambda tx: receipts.end(tx, self._tenant, execution, _ENDING.validate_python(said))
            )
        except (Conflict, Invalid) as error:
            raise SignoffError(error.code, 409, str(error)) from error
        return Receipt.model_validate(row.to_json("settled"))


def answered(asked: Asked, claimed: Claimed) -> dict[str, object]:
    """What a claim came to, in the one shape that it has everywhere."""
    return {"granted": claimed.granted, "receipt": claimed.to_json(asked)}
