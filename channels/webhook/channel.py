"""The webhook channel: each event once to a configured endpoint, or a decision to whoever asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from typing_extensions import override

from channels.base import (
    Capabilities,
    Card,
    Channel,
    ChannelMisconfigured,
    ChannelRefused,
    ChannelUnavailable,
    MessageRef,
    Notice,
    RecipientUnknown,
)
from channels.webhook import message
from channels.webhook.config import WebhookTarget, by_name
from channels.webhook.limits import ANSWER_BYTES_MAX, FACT_CHARS_MAX, RETRY_AFTER_MAX, SEND_WITHIN
from channels.webhook.signature import signed
from engine.clock import Clock, iso
from engine.digest import sha256
from engine.errors import EgressFailed
from engine.failpoints import Boundary
from engine.http import Answer, Egress, broken
from engine.ids import TenantId
from engine.outgoing import EgressRefused
from engine.tokens import Tokens

SEND: Final = Boundary("webhook", breaks=broken)
# What a `callback_url` hears of: how an approval ended, and nothing before.
DECISIONS: Final = frozenset(
    {"approval.decided", "approval.expired", "approval.cancelled", "approval.changes_requested"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receiver:
    """Where one delivery goes, and what signs it; no `target` is a `callback_url`."""

    url: str
    secrets: tuple[str, ...]
    target: WebhookTarget | None


class WebhookChannel(Channel):
    """Posts signed events. `to` is the name of a configured endpoint, or a `callback_url` in full.

    What the operators configured is called by `egress`, and what those who ask named by `callbacks`, which
    may reach less. An endpoint that answered 410 is not called again until the configuration is read anew.
    """

    def __init__(
        self,
        targets: Iterable[WebhookTarget],
        *,
        egress: Egress,
        callbacks: Egress,
        tokens: Tokens,
        clock: Clock,
        base_url: str,
    ) -> None:
        self._targets = by_name(targets)
        self._egress, self._callbacks = egress, callbacks
        self._tokens, self._clock = tokens, clock
        self._base_url = base_url.rstrip("/")
        self._gone: set[tuple[TenantId, str]] = set()

    @property
    @override
    def name(self) -> str:
        return "webhook"

    @property
    @override
    def capabilities(self) -> Capabilities:
        return Capabilities(edits=False, votes=True, text_chars_max=FACT_CHARS_MAX)

    @override
    async def post(self, card: Card, *, to: str, key: str) -> MessageRef:
        """Send the event of `card`; `key` becomes its webhook id, by which receivers drop repeats.

        A `callback_url` is told of endings only, without a token; other events leave it alone.
        """
        receiver = self._receiver(card.tenant, to, asked=card.approval)
        if receiver.target is None and card.event not in DECISIONS:
            return MessageRef(data={}, shown="")
        envelope = message.event(
            card, at=iso(card.event_at), actions=self._actions(card, receiver.target)
        )
        await self._send(envelope, receiver, key=key)
        return MessageRef(
            data={"webhook_id": key}, shown=sha256(envelope.body), left_out=envelope.left_out
        )

    @override
    async def update(self, card: Card, ref: MessageRef, *, to: str, key: str) -> MessageRef:
        """Send the next event: nothing that was sent can be changed."""
        return await self.post(card, to=to, key=key)

    @override
    async def tell(self, notice: Notice, *, to: str, key: str) -> None:
        """Send `notice` to a configured endpoint. An address in full is told of a run that it follows alone."""
        if (notice.tenant, to) not in self._targets and not notice.run:
            raise _unknown(to)
        envelope = message.notice(notice, at=iso(self._clock.now()))
        receiver = self._receiver(notice.tenant, to, asked=str(notice.run.get("id", "")))
        await self._send(envelope, receiver, key=key)

    @override
    async def check_health(self) -> None:
        if self._gone:
            gone = ", ".join(sorted(name for _tenant, name in self._gone))
            raise ChannelMisconfigured(
                f"[webhooks] {gone}: it answered 410, gone for good. "
                "Correct its url or remove it, then restart."
            )

    def _receiver(self, tenant: TenantId, to: str, *, asked: str) -> _Receiver:
        if target := self._targets.get((tenant, to)):
            return _Receiver(url=target.url, secrets=target.secrets, target=target)
        if to.startswith(("https://", "http://")):
            secrets = self._tokens.callback_secrets(approval=asked)
            return _Receiver(url=to, secrets=secrets, target=None)
        raise _unknown(to)

    def _actions(self, card: Card, target: WebhookTarget | None) -> message.Actions | None:
        # The snapshot stays as it was when the event happened, so that a repeat has the same body.
        was_open = card.snapshot.get("status", card.status) == "open"
        may_answer = was_open and (card.can_vote_here or not card.left_out)
        if target is None or target.person is None or not may_answer:
            return None
        return message.Actions(
            url=f"{self._base_url}/callbacks/{card.approval}",
            token=self._tokens.callback(approval=card.approval, webhook=target.name),
        )

    async def _send(self, envelope: message.Envelope, receiver: _Receiver, *, key: str) -> None:
        target = receiver.target
        name = target.name if target else "callback_url"
        if target is not None and (target.tenant, name) in self._gone:
            raise _gone(name)
        now = self._clock.now()
        headers = {
            "Content-Type": "application/json",
            **signed(envelope.body, id=key, at=now, secrets=receiver.secrets),
        }
        try:
            caller = self._callbacks if target is None else self._egress
            request = caller.request(
                "POST", receiver.url, headers=headers, content=envelope.body,
                timeout=SEND_WITHIN, body_cap=ANSWER_BYTES_MAX,
            )  # fmt: skip
            answer = await SEND.through(request)
        except EgressRefused as error:
            raise ChannelRefused(f"{name}: {error}", code=error.code) from error
        except EgressFailed as error:
            raise ChannelUnavailable(f"{name}: {error}", ambiguous=error.ambiguous) from error
        if answer.status == HTTPStatus.GONE and target is not None:
            self._gone.add((target.tenant, name))
        _judge(answer, name=name, now=now)


def _judge(answer: Answer, *, name: str, now: datetime) -> None:
    # What the endpoint wrote is not repeated: it may be a page of somebody's inner network.
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise ChannelRefused(
            f"{name} answered {status}. Redirects are not followed: set url to the last address.",
            code="redirected",
        )
    if status == HTTPStatus.GONE:
        raise _gone(name)
    raise ChannelUnavailable(
        f"{name} answered {status}.",
        retry_after_s=_retry_after(answer.headers.get("retry-after", ""), now),
    )


def _retry_after(text: str, now: datetime) -> float | None:
    if text.isascii() and text.isdigit():
        # Ten digits are three hundred years; more need not be read.
        wish = timedelta(seconds=int(text[:10]))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        wish = moment.replace(tzinfo=moment.tzinfo or UTC) - now
    return min(max(wish, timedelta()), RETRY_AFTER_MAX).total_seconds()


def _gone(name: str) -> ChannelRefused:
    return ChannelRefused(
        f"{name} answered 410: the endpoint is gone and is not called again.", code="endpoint_gone"
    )


def _unknown(to: str) -> RecipientUnknown:
    return RecipientUnknown(f"No webhook {to!a} is configured; see [webhooks] in signoff.toml.")
