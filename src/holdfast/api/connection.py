"""One client's connection: what comes before a request is a request.

uvicorn parses; this bounds what it parses. The head of a request may be 64 KiB
in 100 fields with an address of 8 KiB, and arrives within 10 seconds; each MiB of a
body within 60. A client that does not take its answer is cut after 30. What breaks a
limit is answered with a problem document where an answer can still be read, and the
connection is closed: it can be used to hold memory or places, but not for long.

Whom the doorstep turns away is answered here too; the connection is kept, but for those
who can wait. How many requests have come and are not begun is counted here, where
nobody else sees them.

Time is checked by a sweep once a second rather than by timers, which would cost
every request what only slow ones need.
"""

from asyncio import Event, Transport
from functools import partial
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from holdfast.api.doorstep import DOORSTEP, Doorstep
from holdfast.api.problems import (
    AddressTooLong,
    HeadTooLarge,
    MalformedRequest,
    RequestTooSlow,
    render,
    slug_of,
)
from holdfast.api.protection.addresses import CLIENT_ADDRESS
from holdfast.api.protection.gate import Refused
from holdfast.api.protection.glance import glance
from holdfast.api.protection.rate_layers import COUNTED
from holdfast.api.protection.threshold import LEVEL
from holdfast.kernel.errors import DomainError
from holdfast.kernel.ids import new_id
from holdfast.resilience.asgi import App
from holdfast.resilience.asgi.deadline import RECEIVED
from holdfast.resilience.load import Arrivals

MAX_HEAD_BYTES = 64 * 1024
MAX_FIELDS = 100
MAX_ADDRESS_BYTES = 8 * 1024
# A file may take longer than a minute, as long as it goes on coming.
BODY_PIECE_BYTES = 1 << 20
_log = structlog.get_logger()


def _start(app: App, arrivals: Arrivals, entered_at: float, *call: Any) -> Any:
    """Run a request that was in line."""
    arrivals.started(entered_at)
    return app(*call)


class _Answered:
    """What uvicorn sees of a request that was turned away: it is done with it."""

    response_started = True
    response_complete = True
    disconnected = False
    message_event = Event()


_ANSWERED: Any = _Answered()


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with bounds."""

    head_seconds = 10.0
    body_seconds = 60.0
    write_seconds = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refusal: DomainError | None = None
        self._has_begun = False
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._chunk_bytes = 0
        self._piece_bytes = 0
        # When the head, the body or the wait for the client to read began.
        self._since = 0.0
        self._paused_since: float | None = None
        self._doorstep: Doorstep | None = None
        # What the doorstep found out of the request, for those further in.
        self._level: int | None = None
        self._is_counted = False
        self._glanced: int | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self._doorstep = self.app_state.get(DOORSTEP)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # Whoever answers it may have better things to do now.
        cycle: Any = self.cycle
        on_left = getattr(cycle, "on_left", None)
        if on_left is not None and cycle.disconnected:
            on_left()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        doorstep = self._doorstep
        if (
            doorstep is not None
            and doorstep.gate is not None
            and doorstep.gate.is_flooded
            and self._is_refused_at_a_glance(doorstep, data)
        ):
            return
        self._chunk_bytes = len(data)
        super().data_received(data)
        if self._in_body:
            self._piece_bytes += len(data)
            if self._piece_bytes >= BODY_PIECE_BYTES:
                self._piece_bytes = 0
                self._since = self.loop.time()
        # The parser keeps an unfinished field to itself, however long it grows.
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HeadTooLarge(MAX_HEAD_BYTES, MAX_FIELDS))

    def timeout_keep_alive_handler(self) -> None:
        # Who was refused at a glance has been here since the timer was set.
        left = self._since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                left, self.timeout_keep_alive_handler
            )
            return
        super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._has_begun = True
        self._in_head = True
        self._head_bytes = 0
        self._since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_ADDRESS_BYTES:
            self._raise(AddressTooLong(MAX_ADDRESS_BYTES))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:
            # Fields after a chunked body: nobody reads them, and they would be
            # added to the request's own while it is being answered.
            self._raise(MalformedRequest("Trailer fields are not accepted."))
        if len(self.headers) >= MAX_FIELDS:
            self._raise(HeadTooLarge(MAX_HEAD_BYTES, MAX_FIELDS))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        # More than the limit in one piece, and complete.
        if self._chunk_bytes > MAX_HEAD_BYTES:
            size = sum(len(name) + len(value) for name, value in self.headers)
            if size > MAX_HEAD_BYTES:
                self._raise(HeadTooLarge(MAX_HEAD_BYTES, MAX_FIELDS))
        self._in_head = False
        self._in_body = True
        self._piece_bytes = 0
        self._since = self.loop.time()
        scope: Any = self.scope
        scope[RECEIVED] = self._since
        if self._turned_away():
            return
        if self._level is not None:
            scope[LEVEL] = self._level
        if self._is_counted:
            scope[COUNTED] = True
        super().on_headers_complete()
        # So that the access log can tell an answer from one that nobody got.
        self.scope["holdfast.connection"] = self.cycle  # type: ignore[typeddict-unknown-key]

    def on_message_complete(self) -> None:
        self._in_body = False
        if self.cycle is _ANSWERED:
            # Only now is the client's next word a new request.
            self.on_response_complete()
            return
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._paused_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._paused_since = None

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal or MalformedRequest(msg))

    def sweep(self, now: float) -> None:
        """Cut the connection if it has been slow for too long."""
        if self.transport.is_closing():
            return
        if (
            self._paused_since is not None
            and now - self._paused_since > self.write_seconds
        ):
            self.transport.abort()
        elif self._in_head and now - self._since > self.head_seconds:
            if self._head_bytes:
                self._refuse(RequestTooSlow(self.head_seconds))
            elif not self._has_begun:
                # Connected and said nothing. (Between two requests the
                # keep-alive timer of uvicorn decides.)
                self.transport.close()
        elif self._in_body and now - self._since > self.body_seconds:
            self._refuse(RequestTooSlow(self.body_seconds))

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        # From now on the request waits for the loop, until its task first runs.
        gate = None if self._doorstep is None else self._doorstep.gate
        if gate is not None:
            arrivals = gate.arrivals
            app = partial(_start, app, arrivals, arrivals.entered())
        # As uvicorn does; the task is kept for whoever has to end it.
        cycle.task = task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _turned_away(self) -> bool:
        """Answer at once what the doorstep turns away; its body is read past."""
        doorstep, self._level, self._is_counted = self._doorstep, None, False
        glanced, self._glanced = self._glanced, None
        # Answers keep the order of the requests, and wait for a client that is slow
        # to take them: both are for the longer way.
        cycle: Any = self.cycle
        behind = cycle is not None and not cycle.response_complete
        if doorstep is None or behind or self.flow.write_paused:
            return False
        self._is_counted = doorstep.counts
        scope: Any = self.scope
        address = doorstep.addresses.of(self.client, self.headers)
        scope[CLIENT_ADDRESS] = address
        answer = doorstep.turn_away(
            self.parser.get_method(), self.url, self.headers, address, level=glanced
        )
        if not isinstance(answer, Refused):
            self._level = answer
            return False
        keep = self.parser.get_http_version() != "1.0"
        self.cycle = _ANSWERED
        self._tell(answer, keep=keep and self.parser.should_keep_alive())
        return True

    def _is_refused_at_a_glance(self, doorstep: Doorstep, data: bytes) -> bool:
        """Answer a request that came alone and whole, if it is to be refused."""
        self._glanced = None
        cycle: Any = self.cycle
        behind = cycle is not None and not cycle.response_complete
        begun = self._in_body or (self._in_head and self._has_begun)
        if behind or begun or self.flow.write_paused:
            return False
        seen = glance(data)
        if seen is None:
            return False
        target, headers = seen
        address = doorstep.addresses.of(self.client, headers)
        answer = doorstep.turn_away_at_a_glance(target, headers, address)
        if not isinstance(answer, Refused):
            self._glanced = answer
            return False
        self._since = self.loop.time()
        self.server_state.total_requests += 1
        self._tell(answer, keep=True)
        return True

    def _tell(self, answer: Refused, *, keep: bool) -> None:
        """Write a refusal, and close the connection if it need not be kept."""
        lines = [b"%s: %s\r\n" % field for field in self.server_state.default_headers]
        keep = keep and answer.is_kept
        if not keep:
            lines.append(b"connection: close\r\n")
        self.transport.write(b"".join((answer.head, *lines, b"\r\n", answer.body)))
        if not keep:
            self.transport.close()

    def _raise(self, refusal: DomainError) -> None:
        # The parser wraps what a callback raises and gives up on the connection.
        self._refusal = refusal
        raise refusal

    def _refuse(self, refusal: DomainError) -> None:
        """Answer, unless another answer has begun, and close."""
        request_id = str(new_id())
        _log.info(
            "connection_refused",
            problem=slug_of(type(refusal)),
            request_id=request_id,
            client=self.client[0] if self.client else None,
        )
        # None until the first request has a whole head, whatever its type says.
        cycle: Any = self.cycle
        answering = cycle is not None and not cycle.response_complete
        if not (answering and cycle.response_started):
            reply = render(refusal, {"holdfast.request_id": request_id})
            head = [
                *self.server_state.default_headers,
                *reply.headers,
                (b"content-length", b"%d" % len(reply.body)),
                (b"x-request-id", request_id.encode()),
                (b"cache-control", b"no-store"),
                (b"connection", b"close"),
            ]
            lines = b"".join(b"%s: %s\r\n" % field for field in head)
            self.transport.write(
                STATUS_LINE[reply.status] + lines + b"\r\n" + reply.body
            )
        if answering:
            # Whoever reads the body is told that no more of it comes.
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()
