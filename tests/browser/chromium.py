"""Finds a Chromium that runs here without root: one that is installed, or one fetched once."""

import fcntl
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import brotli

PACKAGE: Final = "@sparticuz/chromium@153.0.0"
PACKAGE_SHA256: Final = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
CACHE: Final = Path(__file__).resolve().parents[2] / ".cache" / "chromium"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FETCH_SECONDS: Final = 180

# The package expects to lie in /tmp; without a font, Chromium lays out no text at all.
FONTS: Final = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><dir>/usr/share/fonts</dir>
<cachedir>{folder}/fonts-cache</cachedir></fontconfig>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chromium:
    """How to start it; without a `program`, Playwright knows its own."""

    program: Path | None
    arguments: tuple[str, ...] = ("--no-sandbox",)
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


def find() -> Chromium | None:
    """The Chromium named by `SIGNOFF_CHROMIUM`, on the PATH, of Playwright, or fetched; else none.

    Fetching happens once per checkout, into `.cache/chromium`, however many processes ask.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    return _installed() or _playwrights_own() or _packed() or _fetched_by_playwright()


def _installed() -> Chromium | None:
    named = os.environ.get("SIGNOFF_CHROMIUM")
    if named:
        return Chromium(program=Path(named))
    found = next((place for name in NAMES if (place := shutil.which(name))), None)
    return Chromium(program=Path(found)) if found else None


def _playwrights_own() -> Chromium | None:
    folders = {
        "darwin": Path.home() / "Library/Caches/ms-playwright",
        "win32": Path.home() / "AppData/Local/ms-playwright",
    }
    default = folders.get(sys.platform, Path.home() / ".cache/ms-playwright")
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or default)
    complete = any(folder.glob("chromium_headless_shell-*/INSTALLATION_COMPLETE"))
    return Chromium(program=None) if complete else None


def _packed() -> Chromium | None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return None
    folder = CACHE / PACKAGE_SHA256[:12]
    with _alone():
        if not folder.exists() and not _unpack_into(folder):
            return None
        (folder / "fonts.conf").write_text(FONTS.format(folder=folder), encoding="utf-8")
    return Chromium(
        program=folder / "chromium",
        arguments=("--no-sandbox", "--no-zygote", "--headless=shell"),
        environment={"LD_LIBRARY_PATH": str(folder / "lib"), "FONTCONFIG_PATH": str(folder)},
    )


def _unpack_into(folder: Path) -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return False
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        work = Path(made)
        if not _succeeds(npm, "pack", PACKAGE, "--silent", "--fetch-retries=1", cwd=work):
            return False
        packed = next(work.glob("*.tgz")).read_bytes()
        if hashlib.sha256(packed).hexdigest() != PACKAGE_SHA256:
            return False
        unpacked = work / "unpacked"
        _unpack(packed, unpacked)
        unpacked.rename(folder)
    return True


def _unpack(packed: bytes, folder: Path) -> None:
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(packed)) as package:
        for member in package.getmembers():
            stream = package.extractfile(member) if member.name.endswith(".br") else None
            if stream is None:
                continue
            content = brotli.decompress(stream.read())
            if member.name.endswith(".tar.br"):
                with tarfile.open(fileobj=io.BytesIO(content)) as inner:
                    _extract(inner, folder)
            else:
                program = folder / "chromium"
                program.write_bytes(content)
                program.chmod(0o755)


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    # Debian's Python 3.11.2 knows no extraction filters yet; there the digest alone vouches for it.
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
    else:
        archive.extractall(folder)


def _fetched_by_playwright() -> Chromium | None:
    command = (sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")
    return _playwrights_own() if _succeeds(*command, cwd=CACHE) else None


def _succeeds(*command: str, cwd: Path) -> bool:
    try:
        done = subprocess.run(
            command, cwd=cwd, check=False, capture_output=True, timeout=FETCH_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextmanager
def _alone() -> Iterator[None]:
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
