"""Who follows a run: refused now where they could never be told, and given what proves that it was us."""

from collections.abc import Sequence

from bot.application import Application
from engine.addresses import never_called
from engine.errors import Invalid
from engine.rules.following import Follower, parse_followers


def demanded(application: Application, raw: object) -> tuple[Follower, ...]:
    """The followers in `raw`, each on a channel that is set up here.

    Raises:
        Invalid: `bad_notify`, for what is no address, is never called, or names no webhook of
            `signoff.toml`; `unknown_channel`, for a channel that is not set up.
    """
    found = parse_followers(raw)
    for each in found:
        _check(application, each)
    return found


def secret(application: Application, followers: Sequence[Follower], *, run: str) -> dict[str, str]:
    """What signs what addresses on the web are told of `run`; made again for a repeated request."""
    if not any(each.is_url for each in followers):
        return {}
    return {"notify_secret": application.tokens.callback_secret(approval=run)}


def _check(application: Application, follower: Follower) -> None:
    if follower.channel not in application.channels:
        raise Invalid(
            f"{follower.shown()} cannot be told: {follower.channel} is not set up here.",
            code="unknown_channel",
        )
    if follower.is_url:
        why = never_called(follower.address, application.callback_allow_nets)
        if why is not None:
            raise Invalid(f"{follower.shown()} is never called: {why}.", code="bad_notify")
    elif follower.channel == "webhook":
        known = [each.name for each in application.webhooks]
        if follower.address not in known:
            raise Invalid(
                f"{follower.shown()} is not in signoff.toml, which has {', '.join(known) or 'none'}.",
                code="bad_notify",
            )
