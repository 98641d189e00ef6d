"""Names of things: typed identifiers, and the injected source that makes them and every secret."""

import secrets
from typing import NewType, Protocol

import uuid_utils

TenantId = NewType("TenantId", str)
RunId = NewType("RunId", str)
ApprovalId = NewType("ApprovalId", str)
PersonId = NewType("PersonId", str)
MessageId = NewType("MessageId", str)
DeliveryId = NewType("DeliveryId", str)
KeyId = NewType("KeyId", str)
WorkerId = NewType("WorkerId", str)
LeaseToken = NewType("LeaseToken", str)

DEFAULT_TENANT = TenantId("default")


class Ids(Protocol):
    """Makes names and secrets; tests may hand in a predictable one."""

    def new(self, prefix: str) -> str:
        """A fresh name such as `run_0192…`: ordered by time, never repeated."""
        ...

    def secret(self) -> str:
        """256 unpredictable bits, safe in URLs and headers."""
        ...

    def fraction(self) -> float:
        """A number in [0, 1), for jitter."""
        ...


class SystemIds:
    """UUIDv7 names and the operating system's randomness."""

    def new(self, prefix: str) -> str:
        return f"{prefix}_{uuid_utils.uuid7().hex}"

    def secret(self) -> str:
        return secrets.token_urlsafe(32)

    def fraction(self) -> float:
        return secrets.randbits(53) / (1 << 53)
