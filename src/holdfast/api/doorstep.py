"""Saying no before a request is a request: ready-made answers, by method and path.

The cost of saying no decides how much is left for those who are let in. So the
connection asks here once it has the head, and writes bytes that were made when the
process started: no task, no layers, no body. That takes about 40 us of CPU, with what a
refusal has like any other answer: a request id, a line in the access log, a count in
the metrics.

Which requests are turned away, and when, is handed in. It is a short cut and no lock:
a request it does not recognise (an escaped letter in the path, say) goes its way
and is refused where it always was.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TypeAlias

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from holdfast.api.access import STANDING_HEADERS, id_of
from holdfast.api.problems import render, status_of
from holdfast.api.protection.addresses import Addresses
from holdfast.kernel.clock import Clock, Monotonic, monotonic, system_clock
from holdfast.kernel.errors import Unavailable
from holdfast.platform.metrics import Metrics
from holdfast.platform.telemetry import Access, AccessLog

DOORSTEP = "holdfast.doorstep"
"""Its name in the state that the application's lifespan gives the connections."""

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
_ID = "{request id}"
_STATUS = status_of(Unavailable)


@dataclass(frozen=True, slots=True)
class Rule:
    """Requests of one route that are turned away while there is no room for them."""

    method: str
    route: str
    """Its template, which is its path: it has no parameters."""
    full: Callable[[], bool]
    """Asked for each request, so it must cost nothing."""
    refusals: Sequence[Unavailable]
    """Given in turn, so that those who are refused together, and come back when they
    are told to, do not come back together."""


class Doorstep:
    """Turns away by *rules*, and notes whom."""

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        metrics: Metrics,
        log: AccessLog | None,
        addresses: Addresses | None = None,
        clock: Clock = system_clock,
        timer: Monotonic = monotonic,
    ) -> None:
        self._doors: Mapping[tuple[bytes, bytes], _Door] = {
            (rule.method.encode(), rule.route.encode()): _Door(rule) for rule in rules
        }
        self._metrics = metrics
        self._log = log
        self._addresses = addresses or Addresses()
        self._clock = clock
        self._timer = timer

    def turn_away(
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        client: tuple[str, int] | None,
    ) -> tuple[bytes, bytes] | None:
        """The status line and fields but the last line break, and the body; or None.

        *target* is the path and query as they came.
        """
        door = self._doors.get((method, target.partition(b"?")[0]))
        if door is None or not door.rule.full():
            return None
        started = self._timer()
        request_id = id_of(headers)
        head, body = door.answer(request_id.encode())
        seconds, rule = self._timer() - started, door.rule
        self._metrics.request(rule.method, rule.route, _STATUS, seconds)
        if self._log is not None:
            self._log.write(
                Access(
                    self._clock(),
                    "error",
                    "request",
                    request_id,
                    rule.method,
                    rule.route,
                    rule.route,
                    _STATUS,
                    round(seconds * 1000, 3),
                    len(body),
                    self._addresses.of(client, headers),
                )
            )
        return head, body


class _Door:
    """The answers of one rule, whole but for the request id."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._next = cycle([_made(refusal) for refusal in rule.refusals]).__next__

    def answer(self, request_id: bytes) -> tuple[bytes, bytes]:
        head, before, after = self._next()
        body = b"".join((before, request_id, after))
        return head % (len(body), request_id), body


def _made(refusal: Unavailable) -> tuple[bytes, bytes, bytes]:
    """The head, with places for length and request id; the body around the id."""
    reply = render(refusal, {"holdfast.request_id": _ID})
    fields = b"".join(
        b"%s: %s\r\n" % field for field in (*reply.headers, *STANDING_HEADERS)
    ).replace(b"%", b"%%")
    before, _, after = reply.body.partition(_ID.encode())
    return (
        STATUS_LINE[reply.status]
        + fields
        + b"content-length: %d\r\nx-request-id: %s\r\n",
        before,
        after,
    )
