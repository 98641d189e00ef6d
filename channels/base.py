"""What every channel promises: a card, a notice, where they were shown, and the five things a medium does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.errors import EngineError, Refused, Unavailable
from engine.ids import DEFAULT_TENANT, ApprovalId, PersonId, TenantId
from engine.rules.forms import Field
from engine.rules.sandboxes import is_marked


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What this channel can do. Callers ask; they never try and see."""

    edits: bool  # a shown message can be replaced in place
    votes: bool  # people can answer from it
    text_chars_max: int  # a longer fact cannot be shown in full


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One field of what would happen. Values are raw text from outside: escape at the sink, once."""

    label: str
    value: str
    is_material: bool = False  # must be shown in full, or the card offers no vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field as it was asked and as it would be, both raw text from outside.

    What a form is filled in with has an empty `old`: nothing stood there but the question.
    """

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changeable:
    """A field that approvers may change, and what it says as it was asked."""

    label: str
    value: str
    kind: str  # text | amount | whole | number | yes_no


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Changes that some people agree to; a vote with this digest agrees to exactly these."""

    digest: str
    changes: tuple[Change, ...]
    names: tuple[str, ...]
    have: int
    need: int
    can_agree_here: bool  # False where one of the changes may not be shown


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteLine:
    """One person's current answer, in words that can be shown."""

    name: str
    choice: str  # approve | reject | request_changes | abstain
    comment: str | None
    channel: str
    at: datetime
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressLine:
    """How far one group (or all approvers, label "") has come."""

    label: str
    have: int
    need: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an approval ended: `headline` such as "Approved by Ana Diaz and Bo Chen"."""

    status: str  # approved | rejected | expired | changes_requested | cancelled
    headline: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The channel-free content of an approval as one addressee may see it. All text is raw."""

    approval: ApprovalId
    version: int
    digest: str  # "sha256:…" whole
    status: str  # open, or the ending's status
    risk: str  # low | medium | high
    action: str
    title: str
    requester: str  # who asks, as a name to show
    requester_is_verified: bool
    facts: tuple[Fact, ...]
    left_out: tuple[str, ...]  # labels this channel may not show
    can_vote_here: bool  # False: no Approve button, only "Open to review"
    progress: tuple[ProgressLine, ...]
    votes: tuple[VoteLine, ...]
    undoes: tuple[str, ...]  # what a rejection would undo, newest first
    report: tuple[str, ...]  # what was undone, after a rollback
    back_to: str = ""  # where a rejection goes back to, in words
    tree: str = ""  # which runs it is part of, and how many of the children are done
    stays: tuple[str, ...] = ()  # what a rejection does not undo, each with the reason
    note: str | None  # "Reminder: …", "Edited: this is version 2"
    opened_at: datetime
    expires_at: datetime | None
    then: str | None  # what happens at the deadline, in words
    ending: Ending | None
    page_url: str  # the approval in the web inbox
    person: PersonId | None  # whom this message addresses, when it is personal
    person_name: str | None
    respond_url: str | None  # the personal quick-action page (email)
    event: str  # approval.opened | approval.updated | approval.reminded | approval.decided | …
    event_at: datetime
    kind: str = "binary"  # binary | form | budget | modify
    asked: tuple[Field, ...] = ()  # what a form asks for, in its order
    changeable: tuple[Changeable, ...] = ()  # what approvers may change, as far as it may be shown
    proposals: tuple[Proposal, ...] = ()  # what they would change, while it is open
    decided: tuple[Change, ...] = ()  # what they changed, once it is approved
    tenant: TenantId = DEFAULT_TENANT
    snapshot: Mapping[str, object] = field(
        default_factory=dict[str, object]
    )  # the approval as GET answers it
    may_be_there: bool = (
        False  # somebody tried to show it before, and nobody knows with what result
    )

    @property
    def needs_answers(self) -> bool:
        """Whether nobody can approve without filling something in."""
        return any(each.is_required and each.default is None for each in self.asked)

    @property
    def is_rehearsal(self) -> bool:
        """Whether a run in a sandbox asks, of which nothing is done and nothing undone."""
        return is_marked(self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message that is no approval: a sign-in link, a stuck compensation."""

    title: str
    text: str
    url: str | None = None
    url_label: str | None = None
    tenant: TenantId = DEFAULT_TENANT
    event: str = (
        ""  # run.waiting | run.stuck | run.completed | …, where it is about a run that is followed
    )
    run: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """Where a card was shown, in the medium's own names; JSON-shaped, stored, and handed back to `update`.

    `shown` is the SHA-256 of the rendering and `left_out` the labels it did not show in full.
    """

    data: Mapping[str, str]
    shown: str
    left_out: tuple[str, ...] = ()


class Channel(Protocol):
    """One way of reaching people.

    Calls may be repeated after a crash: with a key it has already seen a channel shows the same message
    again where the medium can tell, or posts once more where it cannot; a repeated vote counts once.
    """

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def post(self, card: Card, *, to: str, key: str) -> MessageRef:
        """Show `card` to the address `to`; `key` is the delivery's id, equal on every attempt.

        Raises:
            RecipientUnknown: if `to` names nobody here; permanent.
            ChannelRefused: if the medium will never take this message; permanent.
            ChannelUnavailable: if the medium cannot be reached; try again later.
        """
        ...

    async def update(self, card: Card, ref: MessageRef, *, to: str, key: str) -> MessageRef:
        """Bring what `ref` shows up to date: edit in place, or send what people must know (an ending,
        a reminder) as a further message. Returns the ref to keep. Raises as `post` does, and
        MessageGone: if the message was deleted; permanent.
        """
        ...

    async def tell(self, notice: Notice, *, to: str, key: str) -> None:
        """Send `notice` to `to`. Raises as `post` does."""
        ...

    async def check_health(self) -> None:
        """Return if credentials and connection work; raise ChannelUnavailable or ChannelMisconfigured."""
        ...


class ChannelUnavailable(Unavailable):
    """The medium cannot be reached now. `retry_after_s` is the medium's own wish; `ambiguous` says the
    message may have arrived.
    """

    code = "channel_unavailable"

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, ambiguous: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.ambiguous = ambiguous


class ChannelRefused(Refused):
    """The medium will never take this message; an operator must look."""

    code = "channel_refused"


class RecipientUnknown(ChannelRefused):
    """The address names nobody in this medium."""

    code = "recipient_unknown"


class MessageGone(ChannelRefused):
    """The message that should be updated was deleted."""

    code = "message_gone"


class ChannelMisconfigured(EngineError):
    """A configured channel cannot work as configured; the message says which setting to mend."""

    code = "channel_misconfigured"
