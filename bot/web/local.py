"""Marks what came over the owner's own 0600 socket: whoever can open it runs this server."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL: Final = "signoff.local"

Served = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


def local_only(app: ASGIApp) -> Served:
    """`app` for the socket beside the database; serve it nowhere else."""

    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, LOCAL: True}, receive, send)

    return marked
