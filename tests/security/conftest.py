"""The same doors as the tests of the API, with a webhook channel so that callbacks can be named."""

import pytest

from tests.api.conftest import app, application, desk, webhooks
from tests.api.media import Quiet

__all__ = ["app", "application", "channels", "desk", "webhooks"]


@pytest.fixture
def channels() -> dict[str, Quiet]:
    return {"webhook": Quiet("webhook")}
