"""What may be said when asking for an approval, the same in a workflow and over HTTP."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Required, TypedDict

from signoff.calls import Call

Quorum = int | Literal["all", "majority"] | Mapping[str, int]
Routes = Mapping[str, Sequence[str] | Mapping[str, str]]


class Terms(TypedDict, total=False):
    """Who is asked, about what, and until when. Whatever is left out, the policies say.

    A policy may ask for more than these terms do, never for less.
    """

    approvers: Required[str | Sequence[str]]
    """Who may vote: `person:ana`, `group:finance`, `email:ana@example.com`, `role:operator`, …"""
    action: str
    """The kind of deed, which policies match on: `refund`."""
    details: Mapping[str, object]
    """JSON that the approvers see and whose digest they approve. Write amounts as text."""
    quorum: Quorum
    """How many distinct people must agree (1), or `"all"`, `"majority"`, or a number per group."""
    reject_quorum: int
    """How many rejections end it (1)."""
    ladder: Sequence[str]
    """What happens as time passes: `["remind after 30m", "reject after 4h"]`."""
    risk: Literal["low", "medium", "high"]
    """How strongly voters must be identified, and whether silence may approve (`medium`)."""
    comment: Literal["optional", "on_reject", "required"]
    """Which votes need a reason: none (`optional`), those against it, or all."""
    kind: Literal["binary", "form", "budget", "modify"]
    """What approvers may do: answer (`binary`), fill in a `form`, grant at most the `amount` in the
    details (`budget`), or change the marked `fields` (`modify`)."""
    form: Mapping[str, object]
    """With the kind `form`: a flat JSON schema of what approvers are asked for."""
    fields: Sequence[str]
    """The fields of `details` that approvers may change, and the call's arguments of the same name."""
    requester: str
    """On whose behalf this is asked, `person:ana`; that person never counts."""
    routes: Routes
    """Where it is posted instead of the configured routes: `{"slack": ["#refunds"]}`."""


class RunTerms(Terms, total=False):
    """What a workflow may say in addition."""

    call: Call[object]
    """The call that is approved; pass it to `run.step` together with the decision."""
    on_reject: Literal["rollback", "fail", "resume"]
    """What becomes of a run that does not catch the rejection (`rollback`). With `resume` it goes on
    from where it went back to, with the reason in `run.feedback`."""
    rollback_to: str
    """Where a rejection goes back to: a checkpoint's name, `start`, `latest` or `approved`, the last
    checkpoint after which an approval was given (`approved`)."""


class AskTerms(Terms, total=False):
    """What somebody who asks over HTTP may say in addition."""

    callback_url: str
    """Where the decision is posted, signed with the `callback_secret` of the answer."""


def check_terms(given: Collection[str], known: type) -> None:
    """Return if every key of `given` is a term of the TypedDict `known`, and approvers are named.

    Raises:
        TypeError: otherwise, as for any function called with an argument that it does not have.
    """
    terms = frozenset(known.__annotations__)
    if unknown := sorted(set(given) - terms):
        raise TypeError(
            f"An approval has no {', '.join(unknown)}. It has: {', '.join(sorted(terms))}."
        )
    if "approvers" not in given:
        raise TypeError("An approval needs approvers, such as approvers='group:finance'.")
