"""One process of the product, begun as a fork of a nursery that has imported everything already."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import bot.chaos.flows
import bot.chaos.guarded
import bot.serving
import channels.email.channel
import channels.slack.channel
import channels.slack.inbound
from bot.cli.verbs import app
from bot.settings import PREFIX

OUT: Final = "out"
LOG: Final = "log"
FOR_ALL: Final = (
    bot.chaos.flows,
    bot.chaos.guarded,
    bot.serving,
    channels.email.channel,
    channels.slack.channel,
    channels.slack.inbound,
)


def live(folder: Path, arguments: Sequence[str]) -> None:
    """Be `signoff` with these arguments, in `folder`, with its `.env` and nobody else's settings."""
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for name, descriptor in ((OUT, 1), (LOG, 2)):
        os.dup2(os.open(name, flags, 0o600), descriptor)
    app(args=list(arguments), prog_name="signoff")
