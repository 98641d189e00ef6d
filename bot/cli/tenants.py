"""`signoff tenants`: the organisations that share this installation, for whoever runs it."""

from typing import Annotated, Any

import typer

from bot.cli import drawing
from bot.cli.connection import Url, doors, segment
from bot.cli.shapes import Tenant
from bot.cli.tenant import INSTALLATION
from bot.cli.terminal import AsJson, finish, print_json, print_line, show

verbs = typer.Typer(name="tenants", help="Organisations on one installation.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id, such as acme.")]
Called = Annotated[str, typer.Option("--name", help="What people call it.")]


@verbs.command("list")
def list_tenants(*, as_json: AsJson = False, url: Url = None) -> None:
    """List every tenant, those at rest too."""

    async def deed() -> None:
        async with doors(url, headers=INSTALLATION) as server:
            page = await server.get("/api/tenants")
        if as_json:
            return print_json(page)
        found = [Tenant.model_validate(each) for each in page["tenants"]]
        return show(
            drawing.table(
                ("tenant", "name", "active", "made by", "since"),
                [
                    (
                        each.id,
                        each.name,
                        "yes" if each.is_active else "no",
                        each.origin,
                        drawing.moment(each.created_at),
                    )
                    for each in found
                ],
            )
        )

    finish(deed())


@verbs.command("create")
def create_tenant(*, tenant: Which, name: Called, as_json: AsJson = False, url: Url = None) -> None:
    """Make a tenant, empty and active."""

    async def deed() -> None:
        async with doors(url, headers=INSTALLATION) as server:
            made = await server.post("/api/tenants", {"id": tenant, "name": name})
        if as_json:
            return print_json(made)
        return print_line(
            f"{tenant} is there. Its people: [tenants.{tenant}.people.*] in signoff.toml."
        )

    finish(deed())


@verbs.command("rename")
def rename_tenant(*, tenant: Which, name: Called, as_json: AsJson = False, url: Url = None) -> None:
    """Call a tenant something else; its id stays."""
    _change(tenant, {"name": name}, f"{tenant} is called {name}.", as_json=as_json, url=url)


@verbs.command("deactivate")
def deactivate_tenant(*, tenant: Which, as_json: AsJson = False, url: Url = None) -> None:
    """Put a tenant to rest: nobody gets in, nothing runs and nothing is sent, and nothing is lost."""
    told = f"{tenant} rests. It goes on with: signoff tenants activate {tenant}"
    _change(tenant, {"is_active": False}, told, as_json=as_json, url=url)


@verbs.command("activate")
def activate_tenant(*, tenant: Which, as_json: AsJson = False, url: Url = None) -> None:
    """Let a tenant go on where it stood."""
    _change(tenant, {"is_active": True}, f"{tenant} is active.", as_json=as_json, url=url)


def _change(
    tenant: str, body: dict[str, Any], told: str, *, as_json: bool, url: str | None
) -> None:
    async def deed() -> None:
        async with doors(url, headers=INSTALLATION) as server:
            changed = await server.patch(f"/api/tenants/{segment(tenant)}", body)
        return print_json(changed) if as_json else print_line(told)

    finish(deed())
