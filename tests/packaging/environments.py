"""Environments of strangers: made empty, filled by uv or pip, and asked what they see."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from bot.bootstrap import ROOT, find_uv

SECONDS_MAX = 300
# Strangers have no checkout on their path, whatever those who start these tests have on theirs.
STRANGERS = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@dataclass(frozen=True, slots=True)
class Environment:
    """One virtual environment, outside every checkout."""

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    def install(self, *what: str) -> None:
        uv = find_uv()
        if uv:
            told(uv, "pip", "install", "--python", self.python, *what, cwd=self.folder)
        else:
            told(self.python, "-m", "pip", "install", *what, cwd=self.folder)

    def share_bytecode(self) -> None:
        """Spare it compiling what this Python has compiled of the same files; one that differs is compiled anew."""
        ours = Path(sysconfig.get_path("purelib"))
        theirs = Path(self.says("import sysconfig; print(sysconfig.get_path('purelib'))"))
        for compiled in ours.glob(f"*/**/__pycache__/*.{sys.implementation.cache_tag}.pyc"):
            there = theirs / compiled.relative_to(ours)
            if there.parent.parent.is_dir():
                there.parent.mkdir(exist_ok=True)
                shutil.copyfile(compiled, there)

    def uninstall(self, name: str) -> None:
        uv = find_uv()
        if uv:
            told(uv, "pip", "uninstall", "--python", self.python, name, cwd=self.folder)
        else:
            told(self.python, "-m", "pip", "uninstall", "--yes", name, cwd=self.folder)

    def says(self, code: str) -> str:
        """What this environment's Python prints for `code`."""
        return told(self.python, "-c", code, cwd=self.folder).strip()

    def run(self, program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run one of its programs and return what it said, whatever its exit code."""
        return subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            cwd=cwd,
            env=STRANGERS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
        )


def make(folder: Path) -> Environment:
    """An empty environment in `folder`."""
    uv = find_uv()
    if uv:
        told(uv, "venv", "--quiet", "--python", sys.executable, str(folder), cwd=folder.parent)
    else:
        venv.create(folder, with_pip=True, symlinks=True)
    return Environment(folder)


def build_wheel(into: Path) -> Path:
    """Signoff's wheel, built from this checkout without reaching out."""
    told(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into), cwd=ROOT)
    return next(into.glob("signoff-*.whl"))


def told(*command: str, cwd: Path) -> str:
    """What `command` printed; an error with everything it said where it failed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=STRANGERS,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout
