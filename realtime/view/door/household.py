"""Who counts as one: an address, as far as whoever has it cannot take another at will."""

from __future__ import annotations

import ipaddress

#: What one subscriber of a provider is given at least (RFC 6177): with it come 2**64 addresses.
PREFIX_BITS = 64


def household(address: str) -> str:
    """An IPv4 address, the network of an IPv6 one, and anything else as it is."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, PREFIX_BITS), strict=False))
