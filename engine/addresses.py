"""Which addresses are public: the rule that keeps outgoing calls out of our own network."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# `is_global` alone lets these through on some Pythons: transition addresses that hide an IPv4
# address, protocol assignments, and the metadata addresses of clouds that use a public one.
_DENIED: Final = tuple(
    ip_network(net)
    for net in (
        "100.64.0.0/10",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_LAST_LABEL_OF_A_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?#][!-\[\]-~]*)?",
    re.IGNORECASE,
)


def is_public(address: Address) -> bool:
    """Whether `address` is on the open internet, and stands for no other address that is not."""
    if any(address in net for net in _DENIED):
        return False
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def literal(name: str) -> Address | None:
    """The address that `name` spells in the one usual way; None for a name."""
    try:
        return ip_address(name)
    except ValueError:
        return None


def is_odd_number(name: str) -> bool:
    """Whether a resolver would read `name` as an address though it is not spelled as one.

    Resolvers take 2130706433, 0x7f000001, 017700000001 and 127.1 for 127.0.0.1.
    """
    return literal(name) is None and bool(
        _LAST_LABEL_OF_A_NUMBER.fullmatch(name.rsplit(".", 1)[-1])
    )


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped one; any other address as it is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def never_called(url: str, allow_nets: Sequence[Network]) -> str | None:
    """Why `url` would be refused whatever its name leads to; None where only calling it can tell.

    Whoever gives an address learns now what `engine.http.Egress` would say later.
    """
    found = _URL.fullmatch(url)
    if found is None:
        return "it is not written as in https://shop.example.com/decided, without a user in it"
    name = found["host"].strip("[]").rstrip(".").lower()
    address = literal(name)
    if is_odd_number(name) or (address is None and found["host"].startswith("[")):
        return f"{name} is an odd spelling of an address"
    if address is not None:
        address = unwrapped(address)
        if any(address in net for net in allow_nets):
            return None
        if not is_public(address):
            return f"{address} is not a public address"
    elif allow_nets:
        return None  # the name may lead to where more is allowed
    if found["scheme"].lower() != "https":
        return "it is not https"
    return None if found["port"] in {None, "443"} else f"port {found['port']} is not 443"
