"""The doctor tells everything that is wrong at once, and changes nothing."""

import asyncio
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import examine, is_healthy
from bot.findings import Finding, Level
from bot.secret_key import secret_path
from bot.settings import SettingProblem, Settings
from bot.starting import write_project
from bot.wiring import running
from engine.store.ownership import owned
from tests.clock import ManualClock


def settings(folder: Path, *, port: int = 0, slack: str | None = None) -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder / 'signoff.db'}",
        config=folder / "signoff.toml",
        port=port or free_port(),
        slack_bot_token=slack,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def bad(findings: list[Finding]) -> list[str]:
    return [f"{f.text} {f.mend}" for f in findings if f.level is not Level.OK]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path)
    return tmp_path


def examined(given: Settings, *problems: SettingProblem) -> list[Finding]:
    return examine(given, problems, clock=ManualClock(), env_file=None)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "signoff.toml").write_text("[peple]\n[groups.x]\nmembers = 3\n")
    given = Settings(
        database_url=f"sqlite:///{tmp_path / 'no' / 'signoff.db'}", config=tmp_path / "signoff.toml",
        port=free_port(),
    )  # fmt: skip

    findings = examined(given, SettingProblem(text="SIGNOFF_PORT is wrong."))

    told = " | ".join(bad(findings))
    assert len(bad(findings)) == 4
    assert all(word in told for word in ("SIGNOFF_PORT", "mkdir -p", "line 1:", "line 3:"))
    assert not is_healthy(findings)


def test_a_port_that_is_taken_is_told(project: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        findings = examined(settings(project, port=other.getsockname()[1]))

    assert ["SIGNOFF_PORT" in text for text in bad(findings)] == [True]


def test_the_port_of_a_running_signoff_is_no_problem(project: Path) -> None:
    path = project / "signoff.db"
    path.touch(0o600)
    os.utime(path, (0, 0))

    with owned(path), socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        own.listen()
        findings = examined(settings(project, port=own.getsockname()[1]))

    assert bad(findings) == []
    assert any("a running Signoff owns it" in finding.text for finding in findings)


@pytest.mark.parametrize("name", ["signoff.db", ".env"])
def test_a_file_that_others_can_read_is_told(project: Path, name: str) -> None:
    path = project / name
    path.touch()
    path.chmod(0o644)
    os.utime(path, (0, 0))

    findings = examine(settings(project), clock=ManualClock(), env_file=project / ".env")

    assert bad(findings) == [f"{path} can be read by other users of this machine. chmod 600 {path}"]
    assert is_healthy(findings)


def test_a_secret_that_cannot_be_used_is_told(project: Path) -> None:
    given = settings(project)
    secret_path(given).write_text("short")

    assert any("can be read by others" in text for text in bad(examined(given)))


def test_routes_to_channels_that_are_off_are_told(project: Path) -> None:
    with (project / "signoff.toml").open("a") as file:
        file.write('[routes.default]\nslack = ["dm"]\nemail = ["approvers"]\n')

    told = bad(examined(settings(project)))

    assert [word in text for text, word in zip(told, ["SMTP_URL", "SLACK_BOT"], strict=True)] == [
        True,
        True,
    ]


def test_a_drill_that_was_left_armed_is_told(project: Path) -> None:
    given = settings(project).model_copy(update={"failpoints": "step=crash"})

    assert any("Unset it after the drill" in told for told in bad(examined(given)))


def test_a_missing_configuration_and_operator_are_told(tmp_path: Path) -> None:
    assert any("signoff init" in text for text in bad(examined(settings(tmp_path))))

    (tmp_path / "signoff.toml").write_text("")

    assert any("Nobody is an operator" in text for text in bad(examined(settings(tmp_path))))


def test_half_a_channel_is_told_once(project: Path) -> None:
    problem = SettingProblem(text="SIGNOFF_SLACK_SIGNING_SECRET is not set.")

    assert len(bad(examined(settings(project, slack="xoxb-1"), problem))) == 1


@pytest.mark.parametrize(
    ("now", "says"),
    [
        pytest.param(
            datetime(1970, 1, 1, tzinfo=UTC), "long been over", id="a clock that starts anew"
        ),
        pytest.param(datetime(2026, 1, 2, tzinfo=UTC), "written later", id="a clock set back"),
    ],
)
def test_a_clock_that_cannot_be_right_is_told(project: Path, now: datetime, says: str) -> None:
    path = project / "signoff.db"
    path.touch(0o600)
    os.utime(path, (1_800_000_000, 1_800_000_000))

    findings = examine(settings(project), clock=ManualClock(now), env_file=None)

    assert [says in text for text in bad(findings)] == [True]


def test_a_new_project_is_healthy_and_nothing_is_changed(project: Path) -> None:
    before = sorted(project.rglob("*"))

    findings = examined(settings(project))

    assert bad(findings) == []
    assert is_healthy(findings)
    assert sorted(project.rglob("*")) == before
    assert any("SQLite 3" in finding.text for finding in findings)


async def used_with(given: Settings) -> None:
    async with running(given, authored={}):
        pass


def test_a_secret_that_is_not_the_last_one_is_told_of_before_a_start(tmp_path: Path) -> None:
    old, new = "the first secret of at least 32 bytes", "the second secret of at least 32 bytes"
    file = tmp_path / "signoff.toml"
    file.write_text('[people.ana]\nname = "Ana"\n\n[roles]\noperator = ["ana"]\n')
    file.chmod(0o600)
    place: dict[str, Any] = {"database_url": f"sqlite:///{tmp_path / 'signoff.db'}", "config": file}
    asyncio.run(used_with(Settings(**place, secret_key=old, port=free_port())))

    def told(*older: str) -> str:
        given = Settings(**place, secret_key=new, secret_key_previous=older, port=free_port())
        return " ".join(bad([each for each in examined(given) if "clock" not in each.text]))

    assert "comments cannot be read" in told()
    assert "does not hold the secret" in told("one that was never used, of 32 bytes")
    assert told(old) == ""
