"""Bearer tokens that can be made again from the server's secret, so that only their hashes are stored."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from engine.digest import keyed_hash, same

_FINGERPRINT_DIGITS = 16


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """Derives and hashes tokens. Two purposes never share a token, whatever their parts.

    Whatever is new is made from `secret`. What was made from one of the `older`, which stand newest
    first, still holds; a secret that is in neither place makes nothing that does.
    """

    secret: bytes
    anchoring: bytes | None = None  # what signs anchors, where a key of its own is set
    older: tuple[bytes, ...] = ()

    @property
    def anchor_seed(self) -> bytes:
        """The 32 bytes of which the key that signs anchors is made; the same for the same secret."""
        return self.anchoring or _mac(self.secret, "anchor")

    @property
    def older_anchor_seeds(self) -> tuple[bytes, ...]:
        """Those of the secrets before, where anchors have no key of their own."""
        if self.anchoring is not None:
            return ()
        return tuple(_mac(each, "anchor") for each in self.older)

    def permit_seeds(self, tenant: str) -> tuple[bytes, ...]:
        """The 32 bytes of the key that signs permits of `tenant`, and those of the keys that did before."""
        return tuple(_mac(each, "permit", tenant) for each in self._all)

    @property
    def wrapping_keys(self) -> tuple[bytes, ...]:
        """The 32 bytes under which people's own keys are kept, and those under which they were before."""
        return tuple(_mac(each, "subject-keys") for each in self._all)

    @property
    def fingerprint(self) -> str:
        """By which the secret is known, and not found out."""
        return _fingerprint(self.secret)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Those of all secrets, this one first."""
        return tuple(_fingerprint(each) for each in self._all)

    def respond(self, *, approval: str, version: int, person: str, serial: int) -> str:
        """The token of one person's quick-action page; a retried mail carries the same one."""
        parts = (approval, str(version), person, str(serial))
        return _derived(self.secret, "respond", *parts)

    def responds(self, *, approval: str, version: int, person: str, serial: int) -> tuple[str, ...]:
        """`respond`, and what it was under each older secret."""
        parts = (approval, str(version), person, str(serial))
        return tuple(_derived(each, "respond", *parts) for each in self._all)

    def callback(self, *, approval: str, webhook: str) -> str:
        """The token with which a configured webhook's receiver may answer one approval."""
        return _derived(self.secret, "callback", approval, webhook)

    def is_callback(self, token: str, *, approval: str, webhook: str) -> bool:
        """Whether `token` is `callback`, or was under an older secret; the time taken tells nothing."""
        made = [_derived(each, "callback", approval, webhook) for each in self._all]
        return sum(same(token, each) for each in made) > 0  # all are compared

    def callback_secret(self, *, approval: str) -> str:
        """The Standard Webhooks secret that signs what a `callback_url` receives; shown once."""
        return self.callback_secrets(approval=approval)[0]

    def callback_secrets(self, *, approval: str) -> tuple[str, ...]:
        """`callback_secret`, and what was shown under each older secret: all of them sign."""
        macs = (_mac(each, "callback-secret", approval) for each in self._all)
        return tuple("whsec_" + base64.b64encode(mac).decode() for mac in macs)

    def hashed(self, purpose: str, token: str) -> str:
        """What is stored and looked up instead of `token`."""
        return keyed_hash(self.secret, purpose, token)

    def hashes(self, purpose: str, token: str) -> tuple[str, ...]:
        """`hashed`, and what was stored instead of `token` under each older secret."""
        return tuple(keyed_hash(each, purpose, token) for each in self._all)

    def fits(self, purpose: str, token: str, hashed: str) -> bool:
        """Whether `hashed` is that of `token` under any of the secrets; the time taken tells nothing."""
        return sum(same(hashed, each) for each in self.hashes(purpose, token)) > 0

    @property
    def _all(self) -> tuple[bytes, ...]:
        return (self.secret, *self.older)


def _derived(secret: bytes, *parts: str) -> str:
    return base64.urlsafe_b64encode(_mac(secret, *parts)).rstrip(b"=").decode()


def _fingerprint(secret: bytes) -> str:
    return _mac(secret, "fingerprint").hex()[:_FINGERPRINT_DIGITS]


def _mac(secret: bytes, *parts: str) -> bytes:
    # Each part carries its length, so ("a", "bc") and ("ab", "c") differ.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()
