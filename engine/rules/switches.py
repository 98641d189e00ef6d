"""Kill switches: what one may stand above, and which of those that are engaged stands above a run."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from engine.rules.wording import BadRule, shown

EVERYTHING: Final = "everything"
TENANT: Final = "tenant"
KINDS: Final = ("workflow", "agent", "run")
SCOPE_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Beneath:
    """What of a run decides which switches stand above it. `started_by` is as journals have it.

    `runs` and `workflows` are its own and those of every run above it: what is stopped, is stopped
    together with all that it started. Whoever started the root has started them all.
    """

    runs: Collection[str]
    workflows: Collection[str]
    started_by: str


def parse_scope(text: str) -> str:
    """The scope that somebody wrote, spelled the one way in which it is kept.

    Raises:
        BadRule: `bad_scope`, if it is none.
    """
    scope = text.strip()
    kind, colon, name = scope.partition(":")
    is_named = kind in KINDS and colon and name.strip() == name != ""
    if scope in {EVERYTHING, TENANT} or (is_named and len(scope) <= SCOPE_CHARS_MAX):
        return scope
    raise BadRule(
        "bad_scope",
        f"{shown(text)} is no scope. Write everything, tenant, workflow:NAME, agent:KEY or run:ID.",
    )


def above(engaged: Collection[str], run: Beneath) -> str | None:
    """The widest of the scopes that are `engaged` in which `run` is; None where there is none."""
    if not engaged:
        return None
    agent = run.started_by.removeprefix("key:")
    scopes = (
        EVERYTHING,
        TENANT,
        *(f"workflow:{workflow}" for workflow in run.workflows),
        f"agent:{agent}",
        *(f"run:{each}" for each in run.runs),
    )
    return next((scope for scope in scopes if scope in engaged), None)


def engaged_words(scope: str) -> str:
    """What whoever wanted something is told, while the switch `scope` is engaged."""
    return (
        f"The kill switch for {scope} is engaged: no new step begins. Nothing was lost; it goes on "
        "when an operator releases it."
    )
