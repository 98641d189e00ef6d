"""Makes `.venv` exactly what the locks say, with nothing but the standard library."""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

Level = Literal["server", "dev"]

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
LOCKS: Final = ROOT / "locks"
WINDOWS: Final = os.name == "nt"
BIN: Final = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON: Final = BIN / ("python.exe" if WINDOWS else "python")
STAMP: Final = VENV / "signoff-stamp"


class BootstrapFailed(Exception):
    """The environment could not be made; the message says what to do."""


def prepare(level: Level) -> None:
    """Bring `.venv` up to `level`. Does nothing, and starts no process, when its stamp is fresh.

    An environment that once held the developer tools keeps them. One that was moved, or whose
    Python is gone, is made again.

    Raises:
        BootstrapFailed: if Python lacks `venv`, or the packages cannot be installed.
    """
    stamped = _stamped()
    if stamped == _stamp("dev") or stamped == _stamp(level):
        return
    had_dev = stamped[:1] == ["dev"]
    wanted: Level = "dev" if had_dev else level
    if not PYTHON.exists() or (stamped and stamped[1:2] != [str(ROOT)]):
        _say("Making .venv, once: a few seconds with uv, half a minute with pip.")
        _make_venv()
    STAMP.unlink(missing_ok=True)
    _install(LOCKS / f"{wanted}.txt")
    STAMP.write_text("\n".join(_stamp(wanted)), encoding="utf-8")


def find_uv() -> str | None:
    """The uv on the PATH, else the one in `.venv`, else none; always none with `NO_UV=1`."""
    if os.environ.get("NO_UV", "") not in {"", "0"}:
        return None
    return shutil.which("uv") or shutil.which("uv", path=str(BIN))


def _stamp(level: Level) -> list[str]:
    digest = hashlib.sha256()
    for path in (LOCKS / f"{level}.txt", ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return [level, str(ROOT), digest.hexdigest()]


def _stamped() -> list[str]:
    if not (PYTHON.exists() and STAMP.exists()):
        return []
    return STAMP.read_text(encoding="utf-8").splitlines()


def _make_venv() -> None:
    uv = find_uv()
    if uv and _succeeds(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)):
        return
    import venv

    # Its own pip takes seconds to unpack, and is asked for only when nobody else can install.
    venv.create(VENV, clear=True, with_pip=False, symlinks=not WINDOWS)


def _install(lock: Path) -> None:
    uv = find_uv() or _fetch_uv()
    if uv and _install_with_uv(uv, lock):
        return
    if uv:
        _say("uv could not do it; trying pip, which may know another way to the packages.")
    if _install_with_pip(lock):
        return
    raise BootstrapFailed(
        "The packages could not be installed; the lines above say why. The first start needs a "
        "network (or a pip configured for a mirror); later starts do not."
    )


def _fetch_uv() -> str | None:
    if os.environ.get("NO_UV", "") not in {"", "0"}:
        return None
    wanted = ("--require-hashes", "-r", str(LOCKS / "uv.txt"))
    if find_spec("pip") is None or not _succeeds(
        sys.executable, "-m", "pip", "--python", str(PYTHON), *_INSTALL, *wanted
    ):
        _bring_pip()
        _succeeds(*_PIP, *wanted)
    return find_uv()


def _install_with_uv(uv: str, lock: Path) -> bool:
    here = ("--python", str(PYTHON))
    # What is imported is compiled then, a fifth of it all, unless that may not be kept.
    now = ("--compile-bytecode",) if sys.dont_write_bytecode else ()
    return _succeeds(
        uv, "pip", "sync", *here, "--quiet", "--require-hashes", *now, str(lock)
    ) and _succeeds(
        uv, "pip", "install", *here, "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)
    )


def _install_with_pip(lock: Path) -> bool:
    _bring_pip()
    return _succeeds(*_PIP, "--require-hashes", "-r", str(lock)) and _succeeds(
        *_PIP, "--no-deps", "--no-build-isolation", "-e", str(ROOT)
    )


def _bring_pip() -> None:
    if any(VENV.glob("[Ll]ib/**/site-packages/pip/__main__.py")):
        return
    if find_spec("ensurepip") is None:
        version = ".".join(str(part) for part in sys.version_info[:2])
        raise BootstrapFailed(
            f"This Python comes without venv. On Debian or Ubuntu: "
            f"sudo apt install python{version}-venv    Elsewhere, install uv and try again."
        )
    _succeeds(str(PYTHON), "-m", "ensurepip", "--upgrade")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


_INSTALL: Final = ("install", "--quiet", "--disable-pip-version-check", "--no-input")
_PIP: Final = (str(PYTHON), "-m", "pip", *_INSTALL)
