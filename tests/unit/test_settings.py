"""Settings that cannot work are refused at once, all of them, and no secret is shown."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot import settings as module
from bot.settings import Settings, load, load_with_problems
from engine.errors import Invalid

SECRET = "a-very-secret-key-of-some-40-characters!"
SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SECRET}
MAIL = {"SMTP_URL": "smtp+starttls://ana:pa55word@mail.example.com", "MAIL_FROM": "b@example.com"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(module.variable(name), raising=False)


def given(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"SIGNOFF_{name}", value)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        pytest.param({"PORT": "0"}, "SIGNOFF_PORT", id="no port"),
        pytest.param(
            {"SECRET_KEY_PREVIOUS": f"{SECRET},too-short"},
            "SIGNOFF_SECRET_KEY_PREVIOUS",
            id="an older secret that is none",
        ),
        pytest.param(
            {"SECRET_KEY": SECRET, "SECRET_KEY_PREVIOUS": SECRET},
            "SIGNOFF_SECRET_KEY_PREVIOUS",
            id="an older secret that is the first",
        ),
        pytest.param({"PORT": "tcp://10.0.0.1:8080"}, "SIGNOFF_PORT", id="a port of Kubernetes"),
        pytest.param({"HOST": "http://x"}, "SIGNOFF_HOST", id="a URL as host"),
        pytest.param({"BASE_URL": "bot.example.com"}, "SIGNOFF_BASE_URL", id="no scheme"),
        pytest.param({"BASE_URL": "ftp://bot.example.com"}, "SIGNOFF_BASE_URL", id="ftp"),
        pytest.param({"BASE_URL": "https://b.example/x"}, "SIGNOFF_BASE_URL", id="with a path"),
        pytest.param(
            {"BASE_URL": "https://u:p@b.example"}, "SIGNOFF_BASE_URL", id="with a password"
        ),
        pytest.param(
            {"BASE_URL": "https://b.example:99999"}, "SIGNOFF_BASE_URL", id="port too high"
        ),
        pytest.param({"BASE_URL": "https://["}, "SIGNOFF_BASE_URL", id="half an IPv6 address"),
        pytest.param(
            {"BASE_URL": "http://bot.example.com"}, "SIGNOFF_BASE_URL", id="http for others"
        ),
        pytest.param({"HOST": "0.0.0.0"}, "SIGNOFF_HOST", id="open to others without https"),
        pytest.param({"SECRET_KEY": "short"}, "SIGNOFF_SECRET_KEY", id="a short secret"),
        pytest.param({"SECRET_KEY": "a" * 64}, "SIGNOFF_SECRET_KEY", id="a key held down"),
        pytest.param({"WORKFLOWS": "a.py,../b"}, "SIGNOFF_WORKFLOWS", id="a path as module"),
        pytest.param({"LEASE_FOR": "30"}, "SIGNOFF_LEASE_FOR", id="a duration without unit"),
        pytest.param({"LEASE_FOR": "1s"}, "SIGNOFF_LEASE_FOR", id="a very short lease"),
        pytest.param({"LOG_FORMAT": "xml"}, "SIGNOFF_LOG_FORMAT", id="unknown log format"),
        pytest.param(
            {"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_SIGNING_SECRET is not", id="half of Slack"
        ),
        pytest.param(
            {"SLACK_SIGNING_SECRET": SECRET}, "SLACK_BOT_TOKEN is not", id="the other half of Slack"
        ),
        pytest.param({"SLACK_APP_ID": "A0123"}, "SIGNOFF_SLACK_APP_ID", id="only Slack's app"),
        pytest.param({**SLACK, "SLACK_BOT_TOKEN": "xapp-1"}, "xoxb-", id="an app token"),
        pytest.param(
            {**SLACK, "SLACK_TEAM_IDS": "acme"}, "SIGNOFF_SLACK_TEAM_IDS", id="a team's name"
        ),
        pytest.param({"SMTP_URL": "smtp://h"}, "SIGNOFF_MAIL_FROM is not", id="half of email"),
        pytest.param(
            {"MAIL_FROM": "b@example.com"}, "SIGNOFF_SMTP_URL is not", id="the other half of email"
        ),
        pytest.param(
            {**MAIL, "SMTP_URL": "smtp://a:b@h"}, "SIGNOFF_SMTP_URL", id="an open password"
        ),
        pytest.param({"WEBHOOK_ALLOW_NETS": "10.0.0.1/8"}, "WEBHOOK_ALLOW_NETS", id="host bits"),
        pytest.param({"OPEN_APPROVALS_MAX": "-1"}, "OPEN_APPROVALS_MAX", id="less than none"),
        pytest.param({"HTTP_SECRETS": "BANK=sk"}, "SIGNOFF_HTTP_SECRETS is no JSON", id="no JSON"),
        pytest.param(
            {"HTTP_SECRETS": '{"BANK": "sk"}'}, "no hosts for BANK", id="a secret for all"
        ),
        pytest.param(
            {"HTTP_SECRETS": '{"A-B": {"hosts": ["b.example"], "value": "x"}}'},
            "the name",
            id="a name",
        ),
        pytest.param({"TRUSTED_PROXIES": "*"}, "SIGNOFF_TRUSTED_PROXIES", id="trust in everybody"),
    ],
)
def test_a_setting_that_cannot_work_is_named(
    monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str], names: str
) -> None:
    given(monkeypatch, values)

    with pytest.raises(Invalid, match=names) as refused:
        load(None)

    assert refused.value.code == "bad_settings"
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:pa55word@db",
        "postgresql+asyncpg://db",
        "postgresql://ana:pa55word@db:port/signoff",
        "postgresql+pg8000://ana:pa55word@db/signoff",
        "mysql://db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "signoff.db",
    ],
)
def test_a_database_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    given(monkeypatch, {"DATABASE_URL": url})

    with pytest.raises(Invalid, match="SIGNOFF_DATABASE_URL") as refused:
        load(None)

    assert refused.value.code == "unknown_database"
    assert "pa55word" not in str(refused.value)


def test_everything_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    given(
        monkeypatch,
        {"PORT": "x", "DATABASE_URL": "postgresql://db", "SLACK_BOT_TOKEN": "xoxb-1", "HOST": "::"},
    )

    settings, problems = load_with_problems(None)

    assert len(problems) == 4
    assert settings.port == 8080
    with pytest.raises(Invalid) as refused:
        load(None)
    assert refused.value.code == "bad_settings"


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "SMTP_URL"]
)
def test_no_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    given(monkeypatch, {name: "geheim", "PORT": "x"})

    settings, problems = load_with_problems(None)

    assert "geheim" not in repr(settings)
    assert problems
    assert not any("geheim" in problem.text for problem in problems)


def test_an_unreadable_file_is_told_with_the_rest(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"SIGNOFF_PORT=\xff\xfe")

    _, problems = load_with_problems(file)

    assert [".env" in problem.text for problem in problems] == [True]


def test_a_shared_database_needs_a_secret_that_is_shared_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, {"DATABASE_URL": "postgresql://ana:pa55word@db/signoff"})

    with pytest.raises(Invalid, match="SIGNOFF_SECRET_KEY is not set") as refused:
        load(None)

    assert "pa55word" not in str(refused.value)


@pytest.mark.parametrize(
    "scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgres+psycopg"]
)
def test_every_spelling_of_postgresql_is_understood(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    where = "ana:pa55word@db:5433/signoff?sslmode=require"
    given(monkeypatch, {"DATABASE_URL": f"{scheme}://{where}", "SECRET_KEY": SECRET})

    settings = load(None)

    assert settings.shared_url == f"postgresql://{where}"
    assert "pa55word" not in repr(settings)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1


def test_without_any_setting_everything_works_on_this_machine() -> None:
    settings = load(None)

    assert settings.database_path == Path("signoff.db")
    assert settings.base_url == "http://127.0.0.1:8080"
    assert (settings.slack(), settings.mail()) == (None, None)


def test_the_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("SIGNOFF_PORT=9001\nSIGNOFF_HOST=::1\nOTHER=1\nSIGNOFF_LEASE_FOR=\n", "utf-8")
    given(monkeypatch, {"PORT": "9002"})

    settings = load(file)

    assert settings.base_url == "http://[::1]:9002"


def test_every_setting_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    given(
        monkeypatch,
        {
            **SLACK, **MAIL, "DATABASE_URL": "sqlite:////var/lib/signoff.db", "HOST": "0.0.0.0",
            "BASE_URL": "https://bot.example.com/", "SECRET_KEY": SECRET, "LEASE_FOR": "20s",
            "WORKFLOWS": "shop.refunds, shop.releases,", "SLACK_TEAM_IDS": "T0123,E0123",
            "WEBHOOK_ALLOW_NETS": "10.1.0.0/16, ::1", "CALLBACK_ALLOW_NETS": "10.2.0.0/16",
            "TRUSTED_PROXIES": "127.0.0.1",
            "HTTP_SECRETS": '{"BANK": {"hosts": ["Bank.example.com"], "value": "sk_hush"}}',
        },
    )  # fmt: skip

    settings = load(None)
    slack, mail = settings.slack(), settings.mail()

    assert settings.database_url == "sqlite+aiosqlite:////var/lib/signoff.db"
    assert settings.base_url == "https://bot.example.com"
    assert settings.workflows == ("shop.refunds", "shop.releases")
    assert settings.lease_for == timedelta(seconds=20)
    assert settings.webhook_allow_nets == (ip_network("10.1.0.0/16"), ip_network("::1"))
    assert settings.callback_allow_nets == (ip_network("10.2.0.0/16"),)
    sent = {"Authorization": "Bearer ${secret.BANK}"}
    filled = settings.secrets().filled(sent, host="bank.example.com")
    assert filled == {"Authorization": "Bearer sk_hush"}
    assert "sk_hush" not in repr(settings)
    assert slack is not None
    assert slack.team_ids == {"T0123", "E0123"}
    assert mail is not None
    assert (mail.username, mail.password) == ("ana", "pa55word")
