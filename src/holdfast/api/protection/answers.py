"""Refusals that were written when the process started.

Those for the load are eight for each tier, given in turn, which differ in when to come
back: those who are refused together must not come back together, and those who matter
least come back last. All they say of the load is that there is too much.
"""

from collections.abc import Callable, Iterable
from itertools import cycle
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from holdfast.api.access import STANDING_HEADERS
from holdfast.api.policy import Priority
from holdfast.api.problems import render
from holdfast.resilience.asgi import Reply
from holdfast.resilience.errors import Overloaded

VARIANTS: Final = 8
_WAITS: Final = {
    Priority.PAY: (1, 2),
    Priority.BUY: (1, 2),
    Priority.BROWSE: (2, 8),
    Priority.OPERATE: (8, 30),
    Priority.BULK: (30, 60),
}
"""Seconds after which to come back: from, to."""
_ID: Final = "{request id}"


def waits(priority: Priority) -> list[int]:
    """Whole seconds, evenly between the shortest and the longest, in mixed order."""
    begins, ends = _WAITS[priority]
    step = (ends - begins) / (VARIANTS - 1)
    # Every third of eight is all of them, and no two neighbours are alike.
    return [round(begins + step * (3 * n % VARIANTS)) for n in range(VARIANTS)]


def refusals(priority: Priority) -> list[Overloaded]:
    """What a request of this priority is told, in turn."""
    return [Overloaded(seconds) for seconds in waits(priority)]


class Replies:
    """Answers for an application, by priority."""

    def __init__(self) -> None:
        self._next: dict[Priority, Callable[[], Reply]] = {
            priority: cycle([_rendered(r) for r in refusals(priority)]).__next__
            for priority in _WAITS
        }

    def reply(self, priority: Priority, request_id: str) -> Reply:
        """The next one for *priority*, with the id of the request in it."""
        made = self._next[priority]()
        body = made.body.replace(_ID.encode(), request_id.encode())
        return Reply(made.status, body, made.headers)


class Written:
    """Answers for a connection: bytes, whole but for the request id; given in turn."""

    def __init__(self, refusals: Iterable[Exception]) -> None:
        self._next = cycle([_parts(_rendered(r)) for r in refusals]).__next__

    def answer(self, request_id: bytes) -> tuple[bytes, bytes]:
        """The status line and fields but the last line break, and the body."""
        head, before, after = self._next()
        body = b"".join((before, request_id, after))
        return head % (len(body), request_id), body


def _rendered(refusal: Exception) -> Reply:
    return render(refusal, {"holdfast.request_id": _ID})


def _parts(reply: Reply) -> tuple[bytes, bytes, bytes]:
    """The head, with places for length and request id; the body around the id."""
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
