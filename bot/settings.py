"""Every setting of the server, read once from the environment and `.env`, and handed on as values."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import NoDecode, SettingsConfigDict

from bot import setting_values as values
from bot.asking_settings import AskingSettings
from channels.base import ChannelMisconfigured
from channels.email.config import MailConfig, mail_config
from channels.slack.config import SLACK_API, SlackConfig
from engine.addresses import Network
from engine.errors import Invalid
from engine.rules.wording import shown
from engine.store.postgres_url import is_postgres

PREFIX: Final = "SIGNOFF_"

_Listed = BeforeValidator(values.listed)


class Settings(AskingSettings):
    """Read it with `load`, which refuses what cannot work; nothing else reads the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: Annotated[str, AfterValidator(values.database_url)] = Field(
        default="sqlite+aiosqlite:///signoff.db",
        repr=False,  # it may hold a password
        description="Where everything is kept: a SQLite file for one process, PostgreSQL for many.",
    )
    host: Annotated[str, AfterValidator(values.host)] = Field(
        default="127.0.0.1",
        description="The address to listen on; without https only this machine may reach it.",
    )
    port: int = Field(default=8080, ge=1, le=65535, description="The port to listen on.")
    base_url: Annotated[str, AfterValidator(values.base_url)] = Field(
        default_factory=lambda data: values.own_url(data["host"], data["port"]),
        description="How people reach it, in every link that is sent; https behind your proxy.",
        examples=["https://bot.example.com"],
    )
    doors_only: bool = Field(
        default=False, description="Whether `signoff serve` leaves all work to `signoff worker`."
    )
    config: Path = Field(
        default=Path("signoff.toml"),
        description="The file that names people, groups, roles, routes and webhooks.",
    )
    workflows: Annotated[tuple[str, ...], NoDecode, _Listed, AfterValidator(values.modules)] = (
        Field(
            default=(),
            description="The modules that hold your workflows, with commas between them.",
            examples=["shop.refunds,shop.releases"],
        )
    )
    definitions: Path | None = Field(
        default=None,
        description="A folder of workflows in YAML or JSON, added when `signoff serve` starts.",
        examples=["definitions"],
    )
    lease_for: Annotated[timedelta, BeforeValidator(values.lease)] = Field(
        default=timedelta(seconds=30),
        description="How long a worker that went silent keeps its run before another takes it.",
        examples=["30s"],
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="How the log is written: console for people, or json."
    )
    failpoints: str | None = Field(
        default=None, description="For drills alone: where this process is to fail, and how."
    )
    slack_bot_token: SecretStr | None = Field(
        default=None,
        description="The bot token of your Slack app; with it and the signing secret, Slack is on.",
        examples=["xoxb-…"],
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None,
        description="The signing secret of your Slack app, which proves that a press is real.",
    )
    slack_api_url: str = Field(
        default=SLACK_API, description="Where Slack's API is: GovSlack, or a server for tests."
    )
    slack_team_ids: Annotated[
        frozenset[str], NoDecode, _Listed, AfterValidator(values.team_ids)
    ] = Field(
        default=frozenset(),
        description="The workspaces that are listened to; empty means the bot token's own.",
        examples=["T0123ABCD"],
    )
    slack_app_id: Annotated[str, AfterValidator(values.app_id)] | None = Field(
        default=None,
        description="The id of your Slack app; when it is given, requests of others are refused.",
        examples=["A0123ABCD"],
    )

    smtp_url: SecretStr | None = Field(
        default=None,
        description="The server that takes mail; with it and the sender, email is on.",
        examples=["smtp+starttls://user:password@mail.example.com:587"],
    )
    mail_from: str | None = Field(
        default=None, description="Who mail is from.", examples=["Approvals <mail@example.com>"]
    )

    webhook_allow_nets: Annotated[
        tuple[Network, ...], NoDecode, BeforeValidator(values.networks)
    ] = Field(
        default=(),
        description="Networks of your own that your webhooks and HTTP steps may call, also without https.",
        examples=["10.1.0.0/16"],
    )
    trusted_proxies: Annotated[
        tuple[str, ...], NoDecode, _Listed, AfterValidator(values.proxies)
    ] = Field(
        default=(),
        description="The proxies in front, whose word on a caller's address is believed.",
        examples=["127.0.0.1"],
    )

    def __init__(self, env_file: Path | None = None, **given: Any) -> None:
        super().__init__(env_file, **given)

    @property
    def database_path(self) -> Path:
        """The SQLite file; of no use where the database is shared."""
        return Path(self.database_url.partition(":///")[2])

    @property
    def shared_url(self) -> str | None:
        """The PostgreSQL that several processes share; None for a file."""
        return self.database_url if is_postgres(self.database_url) else None

    def slack(self) -> SlackConfig | None:
        """What the Slack channel is told; None when Slack is off.

        Raises:
            ChannelMisconfigured: if it is configured by halves, or wrongly.
        """
        token, secret = self.slack_bot_token, self.slack_signing_secret
        if token is None and secret is None:
            return None
        if token is None or secret is None:
            have, miss = _halves(
                "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", has_first=secret is None
            )
            raise ChannelMisconfigured(f"{have} is set and {miss} is not. Slack needs both.")
        return SlackConfig(
            bot_token=token.get_secret_value(),
            signing_secret=secret.get_secret_value(),
            api_url=self.slack_api_url,
            team_ids=self.slack_team_ids,
            app_id=self.slack_app_id,
        )

    def mail(self) -> MailConfig | None:
        """What the email channel is told; None when email is off.

        Raises:
            ChannelMisconfigured: if it is configured by halves, or wrongly.
        """
        if self.smtp_url is None and self.mail_from is None:
            return None
        if self.smtp_url is None or self.mail_from is None:
            have, miss = _halves("SMTP_URL", "MAIL_FROM", has_first=self.mail_from is None)
            raise ChannelMisconfigured(f"{have} is set and {miss} is not. Email needs both.")
        return mail_config(self.smtp_url.get_secret_value(), mail_from=self.mail_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingProblem:
    """One setting that cannot work, in a sentence that says how to mend it; secrets are not shown."""

    text: str
    code: str = "bad_settings"


def load(env_file: Path | None = Path(".env")) -> Settings:
    """The settings, if all of them can work together.

    Raises:
        Invalid: `bad_settings`, with everything that is wrong at once; `unknown_database`, if that is
            all that is wrong.
    """
    settings, problems = load_with_problems(env_file)
    if not problems:
        return settings
    code = problems[0].code if len(problems) == 1 else "bad_settings"
    raise Invalid("\n".join(problem.text for problem in problems), code=code)


def load_with_problems(
    env_file: Path | None = Path(".env"),
) -> tuple[Settings, tuple[SettingProblem, ...]]:
    """The settings with the default in place of each that cannot be read, and all that is wrong."""
    problems: list[SettingProblem] = []
    if env_file is not None and (unreadable := values.unreadable(env_file)):
        env_file = None
        problems.append(SettingProblem(text=unreadable))
    mended: dict[str, Any] = {}
    try:
        settings = Settings(env_file)
    except ValidationError as refused:
        for name, problem in _by_field(refused).items():
            problems.append(problem)
            mended[name] = _default(name)
        settings = Settings(env_file, **mended)
    problems.extend(_together(settings, set(mended)))
    return settings, tuple(problems)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def _by_field(refused: ValidationError) -> dict[str, SettingProblem]:
    problems: dict[str, SettingProblem] = {}
    for error in refused.errors(include_url=False):
        name = str(error["loc"][0])
        if error["type"] == "default_factory_not_called":
            continue  # it follows from another setting, which is told already
        own = "sentence" in error.get("ctx", {})
        sentence = error["msg"] if own else f"is {shown(error['input'])}: {error['msg']}."
        code = error["type"] if error["type"] == "unknown_database" else "bad_settings"
        problems[name] = SettingProblem(text=f"{variable(name)} {sentence}", code=code)
    return problems


def _default(name: str) -> object:
    field = Settings.model_fields[name]
    return values.own_url("127.0.0.1", 8080) if field.default_factory else field.default


def _together(settings: Settings, mended: set[str]) -> list[SettingProblem]:
    problems: list[SettingProblem] = []
    for part in (settings.slack, settings.mail):
        try:
            part()
        except ChannelMisconfigured as refused:
            problems.append(SettingProblem(text=str(refused)))
    if settings.shared_url is not None and settings.secret_key is None:
        problems.append(SettingProblem(text=values.SHARED_WITHOUT_KEY))
    if settings.shared_url is None and settings.doors_only:
        problems.append(SettingProblem(text=values.DOORS_WITHOUT_WORKERS))
    if settings.slack_bot_token is None and settings.slack_signing_secret is None:
        problems.extend(
            SettingProblem(
                text=f"{variable(name)} is set and {variable('slack_bot_token')} is not. Set the "
                "token and the signing secret, or remove it."
            )
            for name in ("slack_team_ids", "slack_app_id")
            if getattr(settings, name)
        )
    if not mended & {"host", "base_url"}:
        problems.extend(_reach(settings))
    return problems


def _reach(settings: Settings) -> list[SettingProblem]:
    parts = urlsplit(settings.base_url)
    if parts.scheme == "https":
        return []
    if not values.is_loopback(settings.host):
        return [
            SettingProblem(
                text=f"{variable('host')} is {settings.host}, which others reach, and "
                f"{variable('base_url')} is not https. Listen on 127.0.0.1, or put a proxy with TLS "
                f"in front and write its https address into {variable('base_url')}."
            )
        ]
    if not values.is_loopback(parts.hostname or ""):
        return [
            SettingProblem(
                text=f"{variable('base_url')} is http for a host that others reach: links and "
                "sessions would travel in the open. Write an https address."
            )
        ]
    return []


def _halves(first: str, second: str, *, has_first: bool) -> tuple[str, str]:
    names = (f"{PREFIX}{first}", f"{PREFIX}{second}")
    return names if has_first else (names[1], names[0])
