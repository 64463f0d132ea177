"""Just enough HTTP for a provider that must also be able to behave badly.

Plain ASGI rather than a framework: a hang, a reset or half an answer lies below
what a framework lets a handler say, and one charge costs half the CPU. Handlers
return a ``Reply``, raise a ``Problem`` (RFC 9457), or return ``None`` when the
caller is gone and nothing is left to say.

Memory: a body is read up to 64 KiB, and a handler that waits holds only its own
request, until the caller hangs up.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import msgspec

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

T = TypeVar("T")

MAX_BODY_BYTES = 64 * 1024
RESET = "holdfast.reset"
"""ASGI extension: call it to cut the connection without an answer."""

_AT = re.compile(r"^(?P<detail>.*?) - at `\$(?P<path>.*)`$", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_JSON = b"application/json"
_PROBLEM = b"application/problem+json"


class Problem(Exception):
    """An answer that refuses, as RFC 9457 wants it."""

    def __init__(self, status: int, slug: str, detail: str, **fields: object) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.fields = fields
        self.headers: tuple[tuple[bytes, bytes], ...] = ()

    def document(self) -> dict[str, object]:
        return {
            "type": f"/problems/{self.slug}",
            "title": self.slug.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": str(self),
            **self.fields,
        }


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    content_type: bytes = _JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def json_reply(content: object, *, status: int = 200) -> Reply:
    return Reply(status, msgspec.json.encode(content))


@dataclass(slots=True)
class Request:
    scope: Scope
    receive: Receive
    path_values: tuple[str, ...] = ()
    _ended: bool = field(default=False, init=False)

    def header(self, name: bytes) -> str | None:
        """The first header of that (lower-case) name."""
        for header, value in self.scope["headers"]:
            if header == name:
                return str(value, "latin-1")
        return None

    async def read(self, decoder: msgspec.json.Decoder[T]) -> T:
        """The body, checked against the decoder's type; a ``Problem`` if it is not."""
        return _decoded(await self._body(), decoder)

    async def read_optional(self, decoder: msgspec.json.Decoder[T]) -> T | None:
        """As ``read``; nothing at all is ``None``."""
        body = await self._body()
        return _decoded(body, decoder) if body else None

    async def read_form(self) -> dict[str, str]:
        """The fields of a form; of those that come twice, the last."""
        body = str(await self._body(), "utf-8", "replace")
        try:
            return dict(parse_qsl(body, max_num_fields=100))
        except ValueError as error:
            raise Problem(400, "malformed-request", str(error)) from None

    @property
    def base_url(self) -> str:
        """Where the caller found us, without a slash at the end."""
        host = self.header(b"host") or "localhost"
        if _HOST.fullmatch(host) is None:
            raise Problem(400, "malformed-request", "The Host header is none.")
        return f"{self.scope.get('scheme', 'http')}://{host}"

    async def _body(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while not self._ended:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "malformed-request", "The body ended early.")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                too_large = Problem(
                    413, "body-too-large", f"More than {MAX_BODY_BYTES} bytes."
                )
                too_large.headers = ((b"connection", b"close"),)
                raise too_large
            chunks.append(chunk)
            self._ended = not message.get("more_body", False)
        return b"".join(chunks)

    async def gone(self) -> None:
        """Wait, for ever if need be, until the caller hangs up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def reset(self) -> None:
        """Cut the connection; without a real one under us, raise what it means."""
        cut = self.scope.get("extensions", {}).get(RESET)
        if cut is None:
            raise ConnectionResetError("The provider cut the connection.")
        cut()
        await self.gone()


class Door(Protocol):
    """Whether new connections are accepted from now on."""

    def __call__(self, *, is_open: bool) -> None: ...


def _nothing() -> None:
    """Without timers there is nothing to start."""


async def _nothing_to_stop() -> None:
    """Without connections of its own there is nothing to close."""


def _no_door(_: Door) -> None:
    """Never closed, never needed."""


Handler: TypeAlias = Callable[[Request], Awaitable[Reply | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """*path* is literal text; ``{}`` stands for one value, slashes included."""

    method: str
    path: str
    handler: Handler


class App:
    """The routes as an ASGI application.

    *start* is called once the server listens and *stop* when it ends; *use_door* is
    given the server's way to refuse connections. None of them is needed.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        start: Callable[[], None] = _nothing,
        stop: Callable[[], Awaitable[None]] = _nothing_to_stop,
        use_door: Callable[[Door], None] = _no_door,
    ) -> None:
        self.start = start
        self.stop = stop
        self.use_door = use_door
        self._literal: dict[str, dict[str, Handler]] = {}
        self._patterns: dict[re.Pattern[str], dict[str, Handler]] = {}
        for route in routes:
            if "{}" in route.path:
                parts = (re.escape(part) for part in route.path.split("{}"))
                pattern = re.compile("(.+)".join(parts), re.DOTALL)
                methods = self._patterns.setdefault(pattern, {})
            else:
                methods = self._literal.setdefault(route.path, {})
            methods[route.method] = route.handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._answer(scope, receive)
        except Problem as problem:
            reply = Reply(
                problem.status,
                msgspec.json.encode(problem.document()),
                _PROBLEM,
                problem.headers,
            )
        if reply is None:
            return
        headers = [
            (b"content-type", reply.content_type),
            (b"content-length", b"%d" % len(reply.body)),
            *reply.headers,
        ]
        await send(
            {"type": "http.response.start", "status": reply.status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Reply | None:
        path = scope["path"]
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        literal = self._literal.get(path)
        if literal is not None and method in literal:
            return await literal[method](Request(scope, receive))
        allowed = set(literal or ())
        for pattern, methods in self._patterns.items():
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if method in methods:
                request = Request(scope, receive, match.groups())
                return await methods[method](request)
            allowed |= methods.keys()
        raise _refusal(path, method, allowed)


def _decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "malformed-request", str(error)) from None


def _refusal(path: str, method: str, allowed: set[str]) -> Problem:
    if not allowed:
        return Problem(404, "route-not-found", f"Nothing is at {path}.")
    problem = Problem(405, "method-not-allowed", f"{method} is not for {path}.")
    if "GET" in allowed:
        allowed.add("HEAD")
    problem.headers = ((b"allow", ", ".join(sorted(allowed)).encode()),)
    return problem


def _invalid(message: str) -> Problem:
    """Turn msgspec's ``... - at `$.a[0]``` into a JSON pointer (RFC 6901)."""
    located = _AT.match(message)
    pointer, detail = "", message
    if located:
        detail = located["detail"]
        steps = _STEP.findall(located["path"])
        pointer = "".join(f"/{name or index}" for name, index in steps)
    return Problem(
        422,
        "invalid-request",
        detail,
        errors=[{"pointer": pointer, "detail": detail}],
    )
