"""`--tenant`, which every verb takes that talks to a server: whose runs, approvals and keys are meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand
from typing_extensions import override

from bot.cli.remote import remote
from engine.ids import DEFAULT_TENANT

HEADER: Final = "Signoff-Tenant"
# For what is the business of whoever runs the installation, whichever tenant a terminal works for.
INSTALLATION: Final[Mapping[str, str]] = {HEADER: DEFAULT_TENANT}


@dataclass(slots=True)
class _Said:
    """What was typed, for the one command that this process is."""

    tenant: str | None = None


_said: Final = _Said()


def _note(value: str | None) -> None:
    _said.tenant = value


def _carrier(
    *,
    tenant: Annotated[
        str | None,
        typer.Option(
            "--tenant",
            metavar="TENANT",
            callback=_note,
            expose_value=False,
            help="Whose (or SIGNOFF_TENANT); needed where there are several tenants.",
        ),
    ] = None,
) -> None:
    """Carry the option, which is the same for all."""


@cache
def _option() -> Any:
    carrying = typer.Typer(add_completion=False)
    carrying.command()(_carrier)
    # The library's own classes for parameters are private, hence Any.
    params: list[Any] = list(typer.main.get_command(carrying).params)
    return next(each for each in params if each.name == "tenant")


class Verb(TyperCommand):
    """A command that also takes `--tenant`."""

    @override
    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.params.append(_option())


def said(url: str | None = None) -> dict[str, str]:
    """The header that names the tenant, if one was named."""
    tenant = _said.tenant or remote(url).tenant
    return {} if tenant is None else {HEADER: tenant}
