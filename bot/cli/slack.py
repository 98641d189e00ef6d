"""`signoff slack manifest`: what Slack makes the app from."""

from typing import Annotated

import typer

from bot.cli.terminal import AsJson, print_json, say, told
from bot.settings import load
from channels.slack.manifest import manifest, manifest_yaml

verbs = typer.Typer(name="slack", help="Set up Slack.", no_args_is_help=True)


@verbs.callback()
def slack() -> None:
    """Set up Slack."""


@verbs.command("manifest")
def print_manifest(
    *,
    base_url: Annotated[
        str | None, typer.Option(help="The server's address; else SIGNOFF_BASE_URL.")
    ] = None,
    name: Annotated[str, typer.Option(help="The app's name.")] = "Signoff",
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Leave out the scopes that read messages.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the manifest to paste at api.slack.com/apps, "Create an app from a manifest"."""
    with told():
        url = base_url or load().base_url
        if as_json:
            return print_json(manifest(url, name=name, reads_history=not no_history))
        print(manifest_yaml(url, name=name, reads_history=not no_history), end="")
        if not url.startswith("https://"):
            say(f"Slack cannot reach {url}: set SIGNOFF_BASE_URL to your https address first.")
        return None
