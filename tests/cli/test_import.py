"""A terminal that talks to a server begins at once: it brings neither the database nor the web with it."""

import json
import subprocess
import sys
from typing import Final

SERVERS_OWN: Final = {
    "alembic", "apsw", "asyncpg", "cryptography", "fastapi", "jinja2", "slack_bolt", "sqlalchemy",
    "starlette", "uvicorn",
}  # fmt: skip
SCRIPT: Final = """
import json, sys
import bot.cli.verbs
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_what_only_a_server_needs_is_not_loaded() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )

    assert SERVERS_OWN & set(json.loads(said.stdout)) == set()
