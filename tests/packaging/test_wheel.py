"""The wheel: one name beside everybody else's packages, thin to import, whole when it serves."""

import zipfile
from pathlib import Path

import pytest

from bot.bootstrap import LOCKS
from tests.packaging import environments
from tests.packaging.environments import Environment

pytestmark = pytest.mark.slow

CHANNELS_VERSION = "import channels; print(channels.__version__, channels.__file__)"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environments.build_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def thin(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What an author installs: the wheel and the two libraries it needs."""
    made = environments.make(tmp_path_factory.mktemp("thin") / "venv")
    made.install(str(wheel))
    return made


@pytest.fixture(scope="module")
def whole(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What an operator installs: the wheel with the extra `server`, as it is locked."""
    made = environments.make(tmp_path_factory.mktemp("whole") / "venv")
    made.install("--require-hashes", "-r", str(LOCKS / "server.txt"))
    made.install("--no-deps", str(wheel))
    made.share_bytecode()
    return made


def test_the_wheel_brings_one_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names} == {
        "signoff",
        f"{'-'.join(wheel.name.split('-')[:2])}.dist-info",
    }
    assert {name.split("/")[2] for name in names if name.startswith("signoff/_app/")} == {
        "bot", "channels", "engine", "templates",
    }  # fmt: skip
    assert [name for name in names if "bootstrap" in name or "__pycache__" in name] == []


def test_it_says_which_python_it_needs_and_brings_its_licence(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel)
    about = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    told = inside.read(f"{about}/METADATA").decode().splitlines()

    assert {"License-Expression: Apache-2.0", "Requires-Python: >=3.11"} <= set(told)
    assert "Apache License" in inside.read(f"{about}/licenses/LICENSE").decode()


def test_somebody_elses_channels_package_survives(wheel: Path, tmp_path: Path) -> None:
    shared = environments.make(tmp_path / "venv")
    shared.install("channels", "django")
    before = shared.says(CHANNELS_VERSION)

    shared.install("--no-deps", str(wheel))
    beside = shared.says(CHANNELS_VERSION)
    shared.uninstall("signoff")

    assert before.startswith("4.")
    assert beside == before
    assert shared.says(CHANNELS_VERSION) == before


def test_authors_import_it_without_the_server(thin: Environment) -> None:
    missing = thin.says(
        "import importlib.util as u, signoff\n"
        "print(*[room for room in ('bot', 'channels', 'engine') if u.find_spec(room)])"
    )

    assert missing == ""


def test_without_the_server_the_command_says_what_to_install(
    thin: Environment, tmp_path: Path
) -> None:
    refused = thin.run("signoff", "demo", cwd=tmp_path)

    assert refused.returncode == 1
    assert refused.stderr.strip().endswith("pip install 'signoff[server]'")


def test_somebody_elses_bot_is_never_started(thin: Environment, tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text("print('somebody else')", encoding="utf-8")

    refused = thin.run("python", "-m", "signoff", "demo", cwd=tmp_path)

    assert refused.returncode == 1
    assert "somebody else" not in refused.stdout
    assert f"would import `bot` from {tmp_path}" in refused.stderr


def test_the_demo_runs_from_the_wheel(whole: Environment, tmp_path: Path) -> None:
    shown = whole.run("signoff", "demo", "--auto", cwd=tmp_path)

    assert shown.returncode == 0, shown.stderr
