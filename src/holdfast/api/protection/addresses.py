"""Where a request comes from, as far as that can be believed.

The address of the connection cannot be forged, and is that of the last proxy. What
stands before it is said by ``X-Forwarded-For``, a list to which each proxy adds whom
it was called by, at the right. So the list is read from the right, and only as long
as whoever added an entry is a proxy that the deployment trusts: the first address
that is none is the client's. Whatever stands further left was sent by that client,
who may write there what they like.

``Forwarded`` (RFC 7239) is not read: a proxy that adds to one of the two fields hands
the other on as the client sent it, so that believing both is believing the client.

An entry that is no address ends the reading. The request is then held to come from
the last hop that is known: who hides is counted with all others who do.
"""

from collections.abc import Awaitable, Iterable
from functools import lru_cache

from holdfast.platform.proxies import NONE, TrustedProxies, is_quad, read_ip
from holdfast.resilience.asgi import App, Receive, Scope, Send

CLIENT_ADDRESS = "holdfast.client_address"
"""In the scope: the address that is believed."""

_FIELD = b"x-forwarded-for"
# More proxies than anybody has; a field may be 64 KiB of commas.
_MOST_HOPS = 16
_MOST_KNOWN = 1_024


class Addresses:
    """The believed addresses of those who call, behind these *proxies*."""

    def __init__(self, proxies: TrustedProxies = NONE) -> None:
        self._proxies = proxies
        self._known: dict[str, bool] = {}
        """Which peers are proxies: a few, and they come with every request."""

    def of(
        self, peer: tuple[str, int] | None, headers: Iterable[tuple[bytes, bytes]]
    ) -> str | None:
        """The client's address, in its one spelling; None if it has none.

        *peer* is the other end of the connection, None for a local socket.
        """
        address = peer[0] if peer else None
        if not self._proxies or not self._is_proxy(address):
            return plain(address)
        fields = [value for name, value in headers if name == _FIELD]
        if fields:
            last = fields[-1].rpartition(b",")[2].strip(b" \t").decode("latin-1")
            if is_quad(last) and not self._proxies.trusts_quad(last):
                return last
        # Several fields are one list (RFC 9110 5.3).
        hops = b",".join(fields).rsplit(b",", _MOST_HOPS)[-_MOST_HOPS:]
        for hop in reversed(hops):
            ip = read_ip(hop.decode("latin-1"))
            if ip is None:
                break
            address = str(ip)
            if not self._proxies.trusts(ip):
                break
        return plain(address)

    def _is_proxy(self, address: str | None) -> bool:
        if address is None:
            return self._proxies.local_socket
        known = self._known.get(address)
        if known is None:
            ip = read_ip(address)
            known = ip is not None and self._proxies.trusts(ip)
            if len(self._known) < _MOST_KNOWN:
                self._known[address] = known
        return known


class ClientAddress:
    """Put the believed address into the scope, where every other layer reads it."""

    def __init__(self, app: App, *, addresses: Addresses) -> None:
        self._app = app
        self._addresses = addresses

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # The door has read it, where there is one.
        if scope["type"] == "http" and CLIENT_ADDRESS not in scope:
            scope[CLIENT_ADDRESS] = self._addresses.of(
                scope.get("client"), scope["headers"]
            )
        return self._app(scope, receive, send)


@lru_cache(maxsize=8192)
def plain(address: str | None) -> str | None:
    """*address* in its one spelling; as it is, if it is a name."""
    if address is None or (ip := read_ip(address)) is None:
        return address
    return str(ip)
