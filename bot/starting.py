"""What `signoff init` writes: a commented configuration, settings with a fresh secret, a workflow."""

import os
from pathlib import Path
from typing import Final

from bot.docs_pages import env_example
from bot.settings import Settings, variable
from engine.errors import Invalid
from engine.ids import Ids, SystemIds

CONFIGURATION: Final = """\
# Who there is, who may decide, and where they are asked. `signoff doctor` checks it;
# `signoff serve` applies it when it starts.

[people.me]
name = "Me"                       # change this, and add the others
email = "me@example.com"          # where your sign-in link goes
# slack = "T0123/U0AAA"           # team and user
# timezone = "Europe/Madrid"
# hours = "Mon-Fri 09:00-17:30"
# manager = "bo"                  # whom manager_of:requester means

[groups.finance]
members = ["me"]

[roles]
operator = ["me"]                 # runs the bot, and is told of what is stuck

# Where approvals go besides the web inbox, when nothing else says so.
# [routes.default]
# slack = ["#approvals", "dm"]    # a channel, and a direct message to each approver
# email = ["approvers"]
# webhook = ["erp"]
# after = { email = "10m" }       # send the email only if still open after ten minutes
# hide = { email = ["iban"] }     # fields that email must not show
# material = ["order", "amount"]  # a card that cannot show these in full has no Approve button

# [routes.operators]
# email = ["me"]

# What may be spent: kept back before each step that says what it costs.
# [[budgets]]
# scope = "workflow:refund"       # or tenant, or agent:writer
# per = "day"                     # hour, day, week, month, run or total
# limit = { usd = "1000.00", tokens = 2000000 }
# then = "wait"                   # ask people for more; else fail, or rollback

# [webhooks.erp]
# url = "https://erp.example.com/hooks/approvals"
# secrets = ["whsec_..."]         # `whsec_` and 32 random bytes in Base64
# person = "erp-approver"         # whose vote a signed answer is; leave it out to notify only
"""

WORKFLOW: Final = '''\
"""A first workflow: it asks an operator before it greets anybody."""

from signoff import Run, workflow


@workflow
async def hello(run: Run, name: str) -> str:
    """Greet `name`, once an operator agrees."""
    decision = await run.approval(
        f"Say hello to {name}?",
        action="hello",
        details={"name": name},
        approvers="role:operator",
        ladder=["remind after 30m", "reject after 4h"],
    )
    return await run.step(greeting, name, approved=decision)


def greeting(name: str) -> str:
    """What is said."""
    return f"Hello, {name}!"
'''


def write_project(folder: Path, ids: Ids | None = None) -> list[Path]:
    """Write what is missing of a new project, and give what was written.

    Nothing is ever overwritten. `.env` and `signoff.toml` hold secrets: only this user can read them.

    Raises:
        Invalid: `cannot_write`, if the folder cannot be written to.
    """
    secret = (ids or SystemIds()).secret()
    wanted = {
        "signoff.toml": (CONFIGURATION, 0o600),
        ".env": (_env(secret), 0o600),
        "workflows/hello.py": (WORKFLOW, 0o644),
    }
    try:
        return [
            path
            for name, (text, mode) in wanted.items()
            if _write(path := folder / name, text, mode)
        ]
    except OSError as error:
        raise Invalid(
            f"{error.filename or folder} cannot be written: {error.strerror}.", code="cannot_write"
        ) from None


def _env(secret: str) -> str:
    given = {"secret_key": secret, "workflows": "workflows.hello"}
    lines = env_example(Settings).splitlines()
    _, _, *settings = lines  # without the two lines that speak of an example
    for name, value in given.items():
        start = f"# {variable(name)}="
        settings = [
            f"{variable(name)}={value}" if line.startswith(start) else line for line in settings
        ]
    return "# The settings of this Signoff. Keep it to yourself: it holds its secret.\n" + (
        "\n".join(settings) + "\n"
    )


def _write(path: Path, text: str, mode: int) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return True
