"""`.env.example` lists exactly the settings there are, each with one sentence."""

import re

from bot.docs_pages import env_example
from bot.settings import Settings
from tests.architecture.sources import ROOT


def test_the_example_is_made_from_the_settings() -> None:
    written = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert written == env_example(Settings), (
        "Write it anew: python -c 'from bot import docs_pages, settings; "
        'print(docs_pages.env_example(settings.Settings), end="")\' > .env.example'
    )


def test_every_setting_says_in_one_sentence_what_it_is() -> None:
    without = [
        name
        for name, field in Settings.model_fields.items()
        if not re.fullmatch(r"[A-Z][^.]*(\.\w[^.]*)*\.", field.description or "")
    ]

    assert without == []


def test_everything_secret_is_typed_as_a_secret() -> None:
    secret = re.compile(r"token|secret|password|key|smtp_url")
    loose = [
        name
        for name, field in Settings.model_fields.items()
        if secret.search(name) and "SecretStr" not in str(field.annotation)
    ]

    assert loose == []
