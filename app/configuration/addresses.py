# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Which IP addresses lead to this machine, or no further than the local link."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def inner_of(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in ``::ffff:192.0.2.1``, ``::192.0.2.1``, 6to4 or NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or (address.packed[:12] == bytes(12) and int(address) > 1):
        return ipaddress.IPv4Address(address.packed[12:])
    return None


def is_local(address: Address) -> bool:
    """Whether it is loopback, link-local or unspecified, in whichever of its forms."""
    address = inner_of(address) or address
    if isinstance(address, ipaddress.IPv4Address) and address.packed[0] == 0:
        return True
    return address.is_loopback or address.is_link_local or address.is_unspecified
