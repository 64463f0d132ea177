"""The gate: a flood is refused before its requests are any.

The connection asks here once it has a request's head. Two things are asked. Is the line
in front of the event loop so long that whoever joins it would wait in vain? And, while
many are turned away: is it below the threshold? Both are judged by the same routes and
cohorts as further in, so that no spelling of a path gains a better place: what is
escaped is read as the application would, and what leads nowhere is judged as the
lowest tier.

At ease this costs a comparison. A refusal takes 12 us of Python if the request is told
at a glance (see ``glance``), 16 if it is parsed, and some 13 in the kernel. One in a
hundred is logged; all are counted.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from holdfast.api.access import id_of
from holdfast.api.match import Router
from holdfast.api.policy import Priority, Route
from holdfast.api.problems import RouteNotFound
from holdfast.api.protection.answers import Written, refusals
from holdfast.api.protection.load import GATE_LEVEL, Load
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.resilience.load import Arrivals

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

_LOGGED: Final = 100
# Of all requests: to judge one that passes costs it 5 us more.
_MANY: Final = 0.25
# CPU of a refusal that is not spent here: reading, parsing, writing (measured: 35 us).
_AROUND_SECONDS: Final = 0.000_040
# Nothing is parsed: that takes 5 us of them.
_AT_A_GLANCE_SECONDS: Final = 0.000_035
MOST_CPU: Final = 0.30
"""Of one CPU, for saying no; more, and no connection is accepted for a moment."""
_KEPT: Final = Priority.BROWSE
"""The last tier whose connections are kept after a refusal."""


class Refused(NamedTuple):
    """A request that was turned away: what it is told, and what is noted of it."""

    head: bytes
    body: bytes
    method: str
    route: str
    """Its template; ``unmatched`` if it has none."""
    request_id: str
    is_logged: bool
    is_kept: bool
    """Whether the connection may be used again."""
    status: int = 503
    why: str = "gate:flood=shed"
    """What ``holdfast explain`` is told."""


class Gate:
    """Judges heads of requests."""

    def __init__(
        self,
        load: Load,
        router: Router,
        *,
        timer: Monotonic = monotonic,
    ) -> None:
        self._load = load
        self._router = router
        self._timer = timer
        self._answers = {
            priority: Written(refusals(priority))
            for priority in Priority
            if priority >= 0
        }
        self._count = 0
        self._spent_seconds = 0.0

    @property
    def arrivals(self) -> Arrivals:
        """Who counts the requests in front of the event loop."""
        return self._load.guard.arrivals

    @property
    def is_flooded(self) -> bool:
        """Whether every request is judged, as many are to be refused."""
        load = self._load
        shedder = load.shedder
        # A process that is busy with what it can do has nobody to refuse.
        return shedder.controller.share >= _MANY or (
            shedder.sheds and load.level >= GATE_LEVEL
        )

    def judge(
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        address: str | None,
        *,
        level: int | None = None,
    ) -> Refused | int | None:
        """A refusal; or the level of a request that was judged and may pass.

        None if there was no need to judge it. With the *level* that it had when it was
        judged before, only the line is looked at.
        """
        load = self._load
        arrivals = load.guard.arrivals
        is_flood = level is None and self.is_flooded
        if not is_flood and arrivals.unstarted < arrivals.shortest:
            return level
        if not load.is_on or load.shedding == "off":
            return level
        if is_flood:
            judged = self.judge_flood(
                method, target, headers, address, around_seconds=_AROUND_SECONDS
            )
            if isinstance(judged, Refused) or arrivals.unstarted < arrivals.shortest:
                return judged
            level = judged
        began = self._timer()
        route, priority = self._found(method, target)
        if arrivals.has_room(priority):
            return level
        if load.shedding == "shadow":
            load.metrics.shed(priority, "protocol", "shadow")
            return level
        load.metrics.shed(priority, "protocol", "full")
        refused = self._refused(priority, method, route, headers)
        self._count_spent(self._timer() - began + _AROUND_SECONDS)
        return refused

    def judge_flood(
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        address: str | None,
        *,
        around_seconds: float = _AT_A_GLANCE_SECONDS,
    ) -> Refused | int | None:
        """The same for who came in a flood, before the line is looked at.

        *around_seconds* is what a refusal takes of the CPU outside of this.
        """
        load = self._load
        if not load.is_on or load.shedding == "off":
            return None
        began = self._timer()
        route, priority = self._found(method, target)
        level = load.cohorts.level(priority, headers, address)
        if load.admits(level, "protocol"):
            return level
        refused = self._refused(priority, method, route, headers)
        self._count_spent(self._timer() - began + around_seconds)
        return refused

    def spent(self) -> float:
        """CPU seconds that refusals have cost since the last time."""
        spent, self._spent_seconds = self._spent_seconds, 0.0
        return spent

    def paused(self) -> None:
        """Note that no connections are accepted for a moment."""
        self._load.metrics.paused()

    def _count_spent(self, seconds: float) -> None:
        self._spent_seconds += seconds
        self._load.guard.arrivals.spent(seconds)

    def _found(self, method: bytes, target: bytes) -> tuple[Route | None, Priority]:
        """The route of a request as the application would find it, and its priority."""
        path = target.partition(b"?")[0]
        try:
            # As the server does: bytes as they are, then escapes as UTF-8.
            text = path.decode("ascii")
            found, _ = self._router.find(unquote(text) if "%" in text else text, path)
        except (RouteNotFound, UnicodeDecodeError):
            return None, Priority.BULK
        name = method.decode("ascii", "replace")
        route = found.get("GET" if name == "HEAD" else name)
        if route is not None:
            return route, route.priority
        if name == "OPTIONS":
            # A browser asks before it sends: for the most urgent that is here.
            return None, min(route.priority for route in found.values())
        return None, Priority.BULK

    def _refused(
        self, priority: Priority, method: bytes, route: Route | None, headers: Headers
    ) -> Refused:
        request_id = id_of(headers)
        head, body = self._answers[priority].answer(request_id.encode())
        self._count += 1
        return Refused(
            head,
            body,
            "*" if route is None else method.decode("ascii", "replace"),
            "unmatched" if route is None else route.path,
            request_id,
            is_logged=self._count % _LOGGED == 1,
            is_kept=priority <= _KEPT,
        )
