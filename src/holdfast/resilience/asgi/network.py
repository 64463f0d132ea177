"""Whose request it is, as far as an address says: for limits by address."""

import ipaddress
from functools import lru_cache

from holdfast.resilience.asgi.types import Scope

_NETWORK_BITS = 64


def network_of(scope: Scope) -> str:
    """The client's IPv4 address, or the /64 of its IPv6 address; "unknown" for none.

    Whoever has one IPv6 address has 2^64 of them, a new one for each request. It is the
    other end of the connection: behind a proxy let the server put the client's there,
    from proxies that you name (uvicorn: ``--proxy-headers --forwarded-allow-ips``), or
    everybody is the proxy. Never read ``X-Forwarded-For`` by itself: anybody can write
    it.
    """
    client = scope.get("client")
    return _network(client[0]) if client else "unknown"


@lru_cache(maxsize=8_192)
def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        # A name, or the path of a socket.
        return address or "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, _NETWORK_BITS), strict=False))
        ip = ip.ipv4_mapped
    return str(ip)
