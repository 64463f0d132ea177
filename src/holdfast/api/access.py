"""The outermost layer: sees every request and every answer, refusals included.

Gives the request its id, the answer its standing headers, the log its line and
the metrics their counts.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from holdfast.kernel.clock import Clock, Monotonic, monotonic, system_clock
from holdfast.kernel.ids import new_id_text
from holdfast.platform.metrics import Metrics
from holdfast.platform.telemetry import Access, AccessLog
from holdfast.resilience.asgi import App, Message, Receive, Scope, Send
from holdfast.resilience.asgi.types import ANSWERED

# Visible ASCII only, so that an id can be neither a header nor a log injection.
_ACCEPTABLE_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_NO_STORE = (b"cache-control", b"no-store")
_NO_SNIFF = (b"x-content-type-options", b"nosniff")
STANDING_HEADERS = (_NO_SNIFF, _NO_STORE)
"""Of every answer that does not say otherwise."""
_UNMATCHED = "unmatched"
_CLIENT_GONE = 499
_FAILED = 500


Answers: TypeAlias = Callable[[int, int, float], None]
"""Hears of an answer: its tier, its status, the seconds it took."""


@dataclass(slots=True)
class Answered:
    """What is known of the answer so far."""

    status: int = 0
    size_bytes: int = 0
    seconds: float | None = None
    """Until its end, when it has come."""


class Telemetry:
    """Log, count and time every request."""

    def __init__(
        self,
        app: App,
        *,
        metrics: Metrics,
        log: AccessLog | None,
        listen: Answers | None = None,
        clock: Clock = system_clock,
        timer: Monotonic = monotonic,
    ) -> None:
        """Let *listen* hear of every answer of a route."""
        self._app = app
        self._metrics = metrics
        self._log = log
        self._listen = listen
        self._clock = clock
        self._timer = timer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._timer()
        request_id = id_of(scope["headers"])
        scope["holdfast.request_id"] = request_id
        answered = scope[ANSWERED] = Answered()

        def watch(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                answered.status = message["status"]
                headers = message["headers"] = list(message.get("headers", ()))
                headers.append((b"x-request-id", request_id.encode()))
                headers.append(_NO_SNIFF)
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(_NO_STORE)
            else:
                answered.size_bytes += len(message.get("body", b""))
                if not message.get("more_body"):
                    # Work that goes on is not what the client has waited for.
                    answered.seconds = self._timer() - started
            return send(message)

        self._metrics.in_progress.inc()
        try:
            await self._app(scope, receive, watch)
        except Exception:
            answered.status = answered.status or _FAILED
            raise
        finally:
            self._metrics.in_progress.dec()
            seconds = answered.seconds
            self._note(
                scope, answered, self._timer() - started if seconds is None else seconds
            )

    def _note(self, scope: Scope, answered: Answered, seconds: float) -> None:
        route = scope.get("holdfast.route")
        template = route.path if route is not None else None
        # No status: cancelled before it answered, because the process stops.
        status = answered.status or _CLIENT_GONE
        # Taken out: it refers to the scope, and a circle waits for the collector.
        if getattr(scope.pop("holdfast.connection", None), "disconnected", False):
            # Whatever was answered, nobody was there to get it.
            status = _CLIENT_GONE
        self._metrics.request(
            scope["method"] if template else "*",
            template or _UNMATCHED,
            status,
            seconds,
        )
        if self._listen is not None and route is not None:
            self._listen(route.priority, status, seconds)
        if self._log is None:
            return
        caller = scope.get("holdfast.caller")
        self._log.write(
            Access(
                self._clock(),
                "info" if status < _FAILED else "error",
                "request",
                scope["holdfast.request_id"],
                scope["method"],
                scope["path"],
                template,
                status,
                round(seconds * 1000, 3),
                answered.size_bytes,
                scope.get("holdfast.client_address"),
                caller.actor if caller is not None else None,
                scope.get("holdfast.decisions"),
            )
        )


def id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The request id that the client chose, or a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _ACCEPTABLE_ID.fullmatch(value):
            return bytes(value).decode("ascii")
    return new_id_text()
