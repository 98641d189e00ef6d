"""How the other system answers: a callback to `actions.url`, honest or spoiled."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.demo.hooks.deliveries import Deliveries, Delivery
from bot.demo.hooks.verification import new_secret, signature
from bot.demo.outgoing import Reply, Sent, deliver
from bot.demo.trees import Record, is_record, minified, parsed, text
from engine.clock import Clock
from engine.ids import Ids


class Proof(StrEnum):
    """How a callback shows that it may answer."""

    SIGNATURE = "signature"
    BEARER = "bearer"
    NONE = "none"


class NotAnswerable(LookupError):
    """The delivery carries no `actions`: there is nothing to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A callback and what came back."""

    sent: Sent
    reply: Reply

    @property
    def status(self) -> int:
        """The status; 0 when there was no answer."""
        return self.reply.status

    @property
    def json(self) -> Record:
        """The answer as an object; empty when it is not one."""
        try:
            value = parsed(self.reply.body)
        except ValueError:
            return {}
        return value if is_record(value) else {}


class Callbacks:
    """Composes callbacks, spoils them, and sends them as often as one likes."""

    def __init__(self, deliveries: Deliveries, *, secret: str, clock: Clock, ids: Ids) -> None:
        self._deliveries = deliveries
        self._secret = secret
        self._clock = clock
        self._ids = ids

    async def answer(
        self,
        delivery: Delivery,
        choice: str,
        comment: str = "",
        *,
        proof: Proof = Proof.SIGNATURE,
    ) -> Answered:
        """Vote on the approval that `delivery` tells of, for the digest it showed.

        Raises:
            NotAnswerable: if it carries no `actions`.
        """
        answered = await self.send(self.composed(delivery, choice, comment, proof=proof))
        delivery.answers.append(answered.reply)
        self._deliveries.changes.announce()
        return answered

    def composed(
        self,
        delivery: Delivery,
        choice: str,
        comment: str = "",
        *,
        proof: Proof = Proof.SIGNATURE,
    ) -> Sent:
        """The callback, not sent yet.

        Raises:
            NotAnswerable: if the delivery carries no `actions`.
        """
        url = text(delivery.actions, "url")
        if not url:
            raise NotAnswerable(f"{delivery.type} {delivery.id} cannot be answered.")
        digest = text(delivery.approval, "digest")
        body = minified({"choice": choice, "comment": comment, "digest": digest}).encode()
        sent = Sent(url=url, body=body, headers={"Content-Type": "application/json"})
        match proof:
            case Proof.SIGNATURE:
                return self.signed(sent, at=self._clock.now())
            case Proof.BEARER:
                token = text(delivery.actions, "token")
                headers = {**sent.headers, "Authorization": f"Bearer {token}"}
                return replace(sent, headers=headers)
            case Proof.NONE:
                return sent

    async def send(self, sent: Sent) -> Answered:
        """Send a callback as it is; twice is a replay."""
        return Answered(sent=sent, reply=await deliver(sent))

    def signed(self, sent: Sent, *, at: datetime, secret: str | None = None) -> Sent:
        """`sent` under a fresh id and a signature made at `at`."""
        message_id = self._ids.new("msg")
        made = signature(secret or self._secret, message_id=message_id, at=at, body=sent.body)
        headers = {
            **sent.headers,
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": made,
        }
        return replace(sent, headers=headers)

    def forged(self, sent: Sent) -> Sent:
        """The same callback signed by somebody who does not know the secret."""
        secret = new_secret(f"{self._ids.secret()}another")
        return self.signed(sent, at=self._clock.now(), secret=secret)

    def tampered(self, sent: Sent) -> Sent:
        """The signature of one choice under the body of the other."""
        flipped = {b'"approve"': b'"reject"', b'"reject"': b'"approve"'}
        for one, other in flipped.items():
            if one in sent.body:
                return replace(sent, body=sent.body.replace(one, other))
        return replace(sent, body=sent.body + b" ")

    def stale(self, sent: Sent, *, by: timedelta = timedelta(minutes=6)) -> Sent:
        """Signed properly, but `by` ago; negative is from the future."""
        return self.signed(sent, at=self._clock.now() - by)

    def elsewhere(self, sent: Sent, other: Delivery) -> Sent:
        """The same signed body, sent to the approval of another delivery."""
        return replace(sent, url=text(other.actions, "url"))
