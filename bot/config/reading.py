"""Reads `signoff.toml` into what the store and the channels are told, or tells all its mistakes."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.config.lines import Lines
from bot.config.monitors import read_monitors
from bot.config.notes import ConfigProblem, Notes, Raw
from bot.config.retention import read_retention
from bot.config.tenants import SECTIONS, ListedTenant, read_directory, read_tenants
from channels.base import ChannelMisconfigured
from channels.webhook.config import WebhookTarget, by_name
from engine.errors import Invalid
from engine.ids import DEFAULT_TENANT, TenantId
from engine.rules.monitor import Monitor
from engine.services.retaining import Terms
from engine.store.directory import Directory

BYTES_MAX: Final = 1 << 20
LATER: Final = ("policies",)

_PLACE: Final = re.compile(r" \(at (?:line (?P<line>[0-9]+), column [0-9]+|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the file says: people and routes for the store, webhooks of every tenant for their channel.

    `directory` is the installation's own tenant, `tenants` are all others.
    """

    directory: Directory = field(default_factory=Directory)
    webhooks: tuple[WebhookTarget, ...] = ()
    tenants: tuple[ListedTenant, ...] = ()
    monitors: tuple[Monitor, ...] = ()
    retention: Terms = field(default_factory=Terms)

    @property
    def monitors_of(self) -> Mapping[TenantId, tuple[Monitor, ...]]:
        """What is watched in the runs of each tenant."""
        others = {tenant.id: tenant.monitors for tenant in self.tenants}
        return {DEFAULT_TENANT: self.monitors, **others}

    @property
    def slack_teams(self) -> Mapping[str, TenantId]:
        """Whose each workspace is that is somebody's."""
        return {team: tenant.id for tenant in self.tenants for team in tenant.slack_teams}


class BadConfiguration(Invalid):
    """`signoff.toml` has mistakes; the message names each with its line. Nothing was changed."""

    code = "bad_configuration"

    def __init__(self, name: str, problems: tuple[ConfigProblem, ...]) -> None:
        super().__init__("\n".join(f"{name}, line {each.line}: {each.text}" for each in problems))
        self.problems = problems


def read(path: Path) -> Configuration:
    """What the file in `path` says.

    Raises:
        BadConfiguration: with all mistakes at once, in the order of their lines.
        Invalid: `no_configuration`, if there is no such file, or it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Invalid(
            f"There is no {path}. `signoff init` writes one.", code="no_configuration"
        ) from None
    except OSError as error:
        raise Invalid(
            f"{path} cannot be read: {error.strerror}.", code="no_configuration"
        ) from None
    configuration, problems = parse(content)
    if problems:
        raise BadConfiguration(path.name, problems)
    return configuration


def parse(content: bytes) -> tuple[Configuration, tuple[ConfigProblem, ...]]:
    """What the bytes of a file say, and every mistake in them by line; with one, do not use the rest."""
    if len(content) > BYTES_MAX:
        return Configuration(), (ConfigProblem(line=1, text="The file is larger than 1 MiB."),)
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        raw: Raw = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Configuration(), (ConfigProblem(line=line, text="This is not UTF-8 text."),)
    except RecursionError:
        return Configuration(), (ConfigProblem(line=1, text="Something is nested too deeply."),)
    except ValueError as error:
        return Configuration(), (_syntax(str(error), content),)
    notes = Notes(Lines(text))
    configuration = _configuration(raw, notes)
    return configuration, tuple(sorted(set(notes.problems)))


def _configuration(raw: Raw, notes: Notes) -> Configuration:
    for key in LATER:
        if key in raw:
            notes.add((key,), f"`{key}` is not a key of this version's signoff.toml; remove it.")
    notes.only(
        {key: raw[key] for key in raw if key not in LATER}, (), (*SECTIONS, "tenants", "retention")
    )
    directory, webhooks = read_directory(raw, notes, tenant=DEFAULT_TENANT)
    tenants = read_tenants(raw, notes)
    every = (*webhooks, *(each for tenant in tenants for each in tenant.webhooks))
    if len(notes.problems) == 0:
        try:
            by_name(every)
        except ChannelMisconfigured as refused:
            notes.add(("tenants",), str(refused))
    monitors = read_monitors(raw, notes)
    return Configuration(
        directory=directory,
        webhooks=every,
        tenants=tenants,
        monitors=monitors,
        retention=read_retention(raw, notes),
    )


def _syntax(message: str, content: bytes) -> ConfigProblem:
    place = _PLACE.search(message)
    line = (
        content.count(b"\n") + 1 if place is None or place["line"] is None else int(place["line"])
    )
    return ConfigProblem(line=line, text=f"This is not TOML: {_PLACE.sub('', message)}.")
