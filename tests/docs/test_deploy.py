"""What lies in `deploy/` is taken by the tools it is for, and does what the page says."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

from bot.serving import FINISH_WITHIN
from bot.settings import Settings, variable
from tests.architecture.sources import ROOT

DEPLOY = ROOT / "deploy"
UNITS = [DEPLOY / "signoff.service", *sorted((DEPLOY / "systemd").glob("*.service"))]
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
GIVEN = {
    "POSTGRES_PASSWORD": "p",
    "SIGNOFF_SECRET_KEY": "0123456789abcdef" * 4,
    "SIGNOFF_BASE_URL": "https://bot.example.com",
}
VARIABLE = re.compile(r"\$\{(\w+):([?-])([^}]*)\}")


def unit(path: Path) -> ConfigParser:
    found = ConfigParser(strict=False, interpolation=None)
    found.read_string(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_stop_waits_as_long_as_runs_are_given(path: Path) -> None:
    service = unit(path)["Service"]

    if service["Type"] != "oneshot":
        assert int(service["TimeoutStopSec"]) > FINISH_WITHIN.total_seconds()
    assert service["ExecStart"].startswith("/opt/signoff/bin/signoff ")


def test_every_unit_has_its_own_user_and_writes_nowhere_else() -> None:
    shared = unit(DEPLOY / "systemd" / "signoff-.service.d" / "10-everywhere.conf")["Service"]
    alone = unit(DEPLOY / "signoff.service")["Service"]

    for service in (shared, alone):
        assert service["User"] == "signoff"
        assert service["UMask"] == "0077"
        assert service["ProtectSystem"] == "strict"
        assert service["NoNewPrivileges"] == "yes"


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    placed = [_placed(path, tmp_path) for path in UNITS]
    for name in (DEPLOY / "systemd" / "signoff-.service.d").iterdir():
        folder = tmp_path / "signoff-.service.d"
        folder.mkdir(exist_ok=True)
        (folder / name.name).write_text(_here(name), encoding="utf-8")

    said = "" if program is None else _said(program, "verify", *map(str, placed))

    assert [line for line in said.splitlines() if str(tmp_path) in line or "signoff" in line] == []


def test_compose_is_given_what_it_needs() -> None:
    needed = {name for name, kind, _ in VARIABLE.findall(_compose_text()) if kind == "?"}

    assert needed == GIVEN.keys()


def test_compose_takes_the_file_and_starts_each_role_in_turn() -> None:
    services = composed()["services"]

    assert services.keys() == {"postgres", "migrate", "serve", "worker", "proxy"}
    assert {name: services[name]["deploy"]["replicas"] for name in ("serve", "worker")} == {
        "serve": 2,
        "worker": 2,
    }
    for name in ("serve", "worker"):
        waits = services[name]["depends_on"]["migrate"]["condition"]
        assert waits == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["migrate"]["restart"] == "no"
    assert [name for name in services if services[name].get("ports")] == ["proxy"]


@pytest.mark.parametrize("name", ["migrate", "serve", "worker"])
def test_a_container_of_ours_can_do_little(name: str) -> None:
    service = composed()["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert str(service["user"]).startswith("10001")
    assert all(mount.endswith(":ro") for mount in service["volumes"])


def test_its_settings_are_ours_and_can_start() -> None:
    services = composed()["services"]
    given: dict[str, str | None] = services["serve"]["environment"]
    known = {variable(name): name for name in Settings.model_fields}

    assert given.keys() <= known.keys()
    read: dict[str, Any] = {known[name]: value for name, value in given.items() if value}
    proxy = services["proxy"]["networks"]["inside"]["ipv4_address"]
    assert Settings(**read).trusted_proxies == (proxy,)


def test_the_container_recipe_is_clean() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not built for this machine.")

    assert _said(str(hadolint), "--no-color", str(DEPLOY / "Containerfile")) == ""


def test_the_container_installs_by_hash_and_runs_as_nobody() -> None:
    last = CONTAINERFILE.rpartition("\nFROM ")[2]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE)

    assert "--require-hashes --no-deps -r locks.txt" in CONTAINERFILE
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert ":latest" not in CONTAINERFILE
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []
    assert "asyncpg==" in (ROOT / "locks" / "postgres.txt").read_text(encoding="utf-8")


def composed() -> Any:
    """The file as Compose reads it, with the variables that the page names."""
    # Neither tool is built for every machine; the lock says for which.
    compose: Any = pytest.importorskip("compose_spec")

    def value(found: re.Match[str]) -> str:
        name, _, default = found.groups()
        return GIVEN.get(name, default)

    return compose.PyCompose.from_yaml(VARIABLE.sub(value, _compose_text())).to_dict()


def _compose_text() -> str:
    return (DEPLOY / "compose.yaml").read_text(encoding="utf-8")


def _placed(path: Path, folder: Path) -> Path:
    placed = folder / path.name.replace("@", "@1")
    placed.write_text(_here(path), encoding="utf-8")
    return placed


def _here(path: Path) -> str:
    """The unit with a program and a user that this machine has."""
    text = re.sub(r"/opt/signoff/bin/signoff .*", "/bin/true", path.read_text(encoding="utf-8"))
    return text.replace("User=signoff\nGroup=signoff\n", "")


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
