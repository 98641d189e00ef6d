"""`notify` at the start of a run: refused where nobody could be told, else kept with what proves us."""

import pytest

from channels.webhook.config import WebhookTarget
from tests.api.desk import Desk, code
from tests.api.media import Quiet

pytestmark = pytest.mark.anyio

START = {"workflow": "tests.pay", "input": {"order": "17"}}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


@pytest.fixture
def channels() -> dict[str, Quiet]:
    return {name: Quiet(name) for name in ("webhook", "email")}


@pytest.fixture
def webhooks() -> tuple[WebhookTarget, ...]:
    return (
        WebhookTarget(name="erp", url="https://erp.example.com/", secrets=(SECRET,), person=None),
    )


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        ("nobody", "bad_notify"),
        ("slack:#ops", "unknown_channel"),
        ("webhook:books", "bad_notify"),
        ("https://127.0.0.1/hook", "bad_notify"),
        ("https://169.254.169.254/latest", "bad_notify"),
        ("http://hooks.example.com/", "bad_notify"),
        (["mailto:ana@example.com", "https://[::1]/"], "bad_notify"),
    ],
)
async def test_who_cannot_be_told_starts_nothing(desk: Desk, notify: object, expected: str) -> None:
    key = await desk.key()

    assert code(await key.post("/api/runs", {**START, "notify": notify})) == (422, expected)
    assert (await key.get("/api/runs")).json()["runs"] == []


async def test_an_address_gets_a_secret_once_and_names_of_ours_none(desk: Desk) -> None:
    key = await desk.key()
    body = {**START, "notify": ["https://hooks.example.com/x", "mailto:ana@example.com"]}

    first = await key.post("/api/runs", body, idempotency_key="17")
    again = await key.post("/api/runs", body, idempotency_key="17")
    named = await key.post("/api/runs", {**START, "notify": "webhook:erp"})

    assert first.json() == again.json()
    assert first.json()["notify_secret"].startswith("whsec_")
    assert (named.status_code, "notify_secret" in named.json()) == (201, False)
    seen = (await key.get(f"/api/runs/{first.json()['id']}")).json()
    assert seen["notify"] == ["https://hooks.example.com/…", "email ana@example.com"]
