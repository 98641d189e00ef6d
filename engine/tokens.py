"""Bearer tokens that can be made again from the server's secret, so that only their hashes are stored."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from engine.digest import keyed_hash


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """Derives and hashes tokens. Two purposes never share a token, whatever their parts."""

    secret: bytes
    anchoring: bytes | None = None  # what signs anchors, where a key of its own is set

    @property
    def anchor_seed(self) -> bytes:
        """The 32 bytes of which the key that signs anchors is made; the same for the same secret."""
        return self.anchoring or self._mac("anchor")

    @property
    def wrapping_key(self) -> bytes:
        """The 32 bytes under which people's own keys are kept."""
        return self._mac("subject-keys")

    def respond(self, *, approval: str, version: int, person: str, serial: int) -> str:
        """The token of one person's quick-action page; a retried mail carries the same one."""
        return self._derive("respond", approval, str(version), person, str(serial))

    def callback(self, *, approval: str, webhook: str) -> str:
        """The token with which a configured webhook's receiver may answer one approval."""
        return self._derive("callback", approval, webhook)

    def callback_secret(self, *, approval: str) -> str:
        """The Standard Webhooks secret that signs what a `callback_url` receives; shown once."""
        return "whsec_" + base64.b64encode(self._mac("callback-secret", approval)).decode()

    def hashed(self, purpose: str, token: str) -> str:
        """What is stored and looked up instead of `token`."""
        return keyed_hash(self.secret, purpose, token)

    def _derive(self, *parts: str) -> str:
        return base64.urlsafe_b64encode(self._mac(*parts)).rstrip(b"=").decode()

    def _mac(self, *parts: str) -> bytes:
        # Each part carries its length, so ("a", "bc") and ("ab", "c") differ.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self.secret, text.encode(), hashlib.sha256).digest()
