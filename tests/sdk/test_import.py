"""Importing the package is quick, and brings nothing of the server with it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import signoff

SERVER: Final = {
    "aiohttp", "alembic", "anthropic", "bot", "channels", "engine", "fastapi", "jinja2", "rich",
    "slack_bolt", "slack_sdk", "sqlalchemy", "starlette", "structlog", "typer", "uvicorn",
}  # fmt: skip
SCRIPT: Final = """
import json, sys, time
began = time.process_time()
import signoff
took = time.process_time() - began
modules = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"modules": modules, "took": took}))
"""


def test_importing_is_quick_and_brings_no_server() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    found = json.loads(said.stdout)

    assert (SERVER | {"httpx"}) & set(found["modules"]) == set()
    assert found["took"] < 2


def test_every_public_name_is_there_and_no_other() -> None:
    public = {name: getattr(signoff, name) for name in signoff.__all__}

    assert len(public) == 20
    assert not hasattr(signoff, "Clients")


def test_the_package_tells_type_checkers_that_it_is_typed() -> None:
    assert (Path(signoff.__file__).parent / "py.typed").is_file()
