"""Which pages of other origins may call the API from a browser (the Fetch standard).

A headless storefront runs in its visitors' browsers, under an address of its own. Its
calls carry a bearer token, which only its own script can know, and never a cookie: so
``Access-Control-Allow-Credentials`` is never sent, and even ``*`` opens nothing that
was not open to any program. Pages for people, which do have cookies, stay closed.

A preflight is answered here, before limits and credentials: it has neither, and a
browser would take a refusal for a broken shop. Every other answer is marked on its way
out, refusals included, or a script could not read why it was refused and when to come
again. An origin that is not allowed gets the same answers without the marks: it is the
browser that keeps them from the page.
"""

from collections.abc import Iterable

from holdfast.resilience.asgi import App, Message, Receive, Reply, Scope, Send

ANY = "*"
"""Every origin, in the settings."""

Fields = tuple[tuple[bytes, bytes], ...]

_OPEN = ("/v1/", "/problems/", "/images/", "/.well-known/")
_OPEN_EXACTLY = frozenset(
    {"/oauth/jwks", "/oauth/revoke", "/oauth/token", "/oauth/userinfo", "/openapi.json"}
)
# Servers call these: a browser that does is somebody else's page.
_CLOSED = ("/v1/webhooks/",)
_METHODS = b"GET, POST, PUT, PATCH, DELETE"
_REQUEST_FIELDS = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    b"Waiting-Room-Ticket, X-Request-Id, X-Request-Timeout-Ms"
)
_EXPOSED = (
    b"RateLimit, RateLimit-Policy, Retry-After, ETag, Link, Location, X-Request-Id, "
    b"Idempotent-Replayed"
)
# Two hours is as long as Chromium keeps it; Firefox would for a day.
_KEPT_SECONDS = b"7200"
_VARY: Fields = ((b"vary", b"origin"),)


class Origins:
    """Who may read what the API answers."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._named = frozenset(origin.encode("ascii") for origin in origins)
        self._any = ANY.encode() in self._named

    def marks(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> Fields:
        """The fields that let the asking page read an answer, if it may.

        Also for who writes answers without any layer.
        """
        if not is_open(path):
            return ()
        if self._any:
            # The same for everybody: no cache has to tell origins apart.
            return (
                (b"access-control-allow-origin", b"*"),
                (b"access-control-expose-headers", _EXPOSED),
            )
        origin = _origin_of(headers)
        if origin not in self._named:
            return _VARY
        return (
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
            *_VARY,
        )


class Cors:
    """Answer preflights, and mark answers that pages of other origins may read."""

    def __init__(self, app: App, *, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (
            marks := self._origins.marks(scope["path"], scope["headers"])
        ):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and _is_preflight(scope["headers"]):
            await _preflight(marks)(scope, receive, send)
            return

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *marks]
            await send(message)

        await self._app(scope, receive, mark)


def is_open(path: str) -> bool:
    """Whether pages of other origins have any business at *path*."""
    if path in _OPEN_EXACTLY:
        return True
    return path.startswith(_OPEN) and not path.startswith(_CLOSED)


def _origin_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    origins = [value for name, value in headers if name == b"origin"]
    # A browser sends one. Of two, nobody knows which a cache would go by.
    return origins[0] if len(origins) == 1 else b""


def _is_preflight(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    names = {name for name, _ in headers}
    return b"origin" in names and b"access-control-request-method" in names


def _preflight(marks: Fields) -> Reply:
    allowed = [field for field in marks if field[0] != b"access-control-expose-headers"]
    if marks != _VARY:
        allowed += [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _REQUEST_FIELDS),
            (b"access-control-max-age", _KEPT_SECONDS),
        ]
    return Reply(204, headers=allowed)
