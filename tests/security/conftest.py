"""The doors and the Slack of other tests, with a webhook channel so that callbacks can be named."""

import pytest

from tests.api.conftest import app, application, desk, webhooks
from tests.api.media import Quiet
from tests.channels.slack.conftest import config, slack, told

__all__ = ["app", "application", "channels", "config", "desk", "slack", "told", "webhooks"]


@pytest.fixture
def channels() -> dict[str, Quiet]:
    return {"webhook": Quiet("webhook")}
