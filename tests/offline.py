"""No test reaches the outside world: whoever tries finds what a machine without a network has."""

import errno
import socket
import sys
from ipaddress import ip_address
from typing import Any

UNNAMED = frozenset({"", "localhost", "0.0.0.0", "::", socket.gethostname()})


def is_here(host: object) -> bool:
    """Whether `host` is this machine, or no place at all."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in UNNAMED or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def stay_offline() -> None:
    """From here on this process connects to nobody but this machine, and looks up no other's name."""
    sys.addaudithook(_refuse)


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        address: Any = args[1]
        if not isinstance(address, str | bytes) and not is_here(address[0]):
            raise OSError(errno.ENETUNREACH, f"Tests are offline: {address[0]} is not called.")
    elif event == "socket.getaddrinfo" and not is_here(args[0]) and not _is_number(args[0]):
        raise socket.gaierror(socket.EAI_NONAME, f"Tests are offline: {args[0]} is not looked up.")


def _is_number(host: Any) -> bool:
    try:
        ip_address(host.decode() if isinstance(host, bytes) else host)
    except ValueError:
        return False
    return True
