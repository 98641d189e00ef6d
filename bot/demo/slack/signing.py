"""Sign what Slack sends to the app, and spoil it on purpose."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlencode

from slack_sdk.signature import SignatureVerifier

from bot.demo.outgoing import Sent
from bot.demo.trees import Record, minified, parsed, record

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"


def signed(url: str, body: bytes, *, content_type: str, secret: str, at: datetime) -> Sent:
    """`body` with the signature Slack would give it at `at`."""
    timestamp = str(int(at.timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body) or ""
    headers = {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
    }
    return Sent(url=url, body=body, headers=headers)


def interaction(payload: Record) -> bytes:
    """The form in which interactions travel: one field, holding JSON."""
    return urlencode({"payload": minified(payload)}).encode()


def payload_of(sent: Sent) -> Record:
    """The payload that `interaction` wrote."""
    fields = parse_qs(sent.body.decode())
    return record(parsed(fields["payload"][0]))


class Forger:
    """Requests that must be refused, or must change nothing, made from honest ones."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def forged(self, sent: Sent) -> Sent:
        """The same request with a signature of somebody who does not know the secret."""
        return self._again(sent, sent.body, secret=f"another {self._secret}")

    def tampered(self, sent: Sent) -> Sent:
        """One byte more than what was signed."""
        return replace(sent, body=sent.body + b"&")

    def unsigned(self, sent: Sent) -> Sent:
        """The same request without signature and timestamp."""
        return self.with_headers(
            sent, {"X-Slack-Signature": None, "X-Slack-Request-Timestamp": None}
        )

    def stale(self, sent: Sent, *, by: timedelta = timedelta(minutes=6)) -> Sent:
        """Signed properly, but `by` earlier; negative is from the future."""
        at = datetime.fromtimestamp(int(sent.headers["X-Slack-Request-Timestamp"]), tz=UTC)
        return self._again(sent, sent.body, at=at - by)

    def changed(self, sent: Sent, **changes: object) -> Sent:
        """Signed properly, but with other top-level fields in the payload of an interaction."""
        payload = {**payload_of(sent), **changes}
        return self._again(sent, interaction(payload))

    def other_team(self, sent: Sent, team_id: str = "T0OTHER") -> Sent:
        """An interaction of another workspace, signed with this app's secret."""
        payload = payload_of(sent)
        user = {**record(payload.get("user")), "team_id": team_id}
        return self.changed(sent, team={"id": team_id, "domain": "other"}, user=user)

    def with_headers(self, sent: Sent, headers: Mapping[str, str | None]) -> Sent:
        """The same body under other headers; None takes one away."""
        merged = {**sent.headers, **headers}
        return replace(sent, headers={key: value for key, value in merged.items() if value})

    def _again(
        self, sent: Sent, body: bytes, *, secret: str | None = None, at: datetime | None = None
    ) -> Sent:
        then = int(sent.headers["X-Slack-Request-Timestamp"])
        return signed(
            sent.url,
            body,
            content_type=sent.headers["Content-Type"],
            secret=secret or self._secret,
            at=at or datetime.fromtimestamp(then, tz=UTC),
        )
