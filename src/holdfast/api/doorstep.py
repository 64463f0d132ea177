"""Saying no before a request is a request: ready-made answers, by method and path.

The cost of saying no decides how much is left for those who are let in. So the
connection asks here once it has the head, and writes bytes that were made when the
process started: no task, no layers, no body. That takes about 40 us of CPU, with what a
refusal has like any other answer: a request id, a line in the access log, a count in
the metrics.

Which requests are turned away, and when, is handed in. Rules are short cuts and no
locks: a request they do not recognise (an escaped letter in the path, say) goes its
way and is refused where it always was. Behind them stands the gate, which judges every
request while there are too many.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from holdfast.api.access import id_of
from holdfast.api.protection.addresses import Addresses
from holdfast.api.protection.answers import Written
from holdfast.api.protection.cors import Origins
from holdfast.api.protection.flood import Flood
from holdfast.api.protection.gate import Gate, Refused
from holdfast.kernel.clock import Clock, Monotonic, monotonic, system_clock
from holdfast.kernel.errors import Unavailable
from holdfast.platform.metrics import Metrics
from holdfast.platform.telemetry import Access, AccessLog

DOORSTEP = "holdfast.doorstep"
"""Its name in the state that the application's lifespan gives the connections."""

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
# Whoever asks too much is no fault of ours.
_STATUS_OF_OURS = 500


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
    """Turns away a *flood*, by *rules* and by the *gate*, and notes whom."""

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        metrics: Metrics,
        log: AccessLog | None,
        addresses: Addresses | None = None,
        flood: Flood | None = None,
        gate: Gate | None = None,
        origins: Origins | None = None,
        clock: Clock = system_clock,
        timer: Monotonic = monotonic,
    ) -> None:
        self._doors: Mapping[tuple[bytes, bytes], _Door] = {
            (rule.method.encode(), rule.route.encode()): _Door(rule) for rule in rules
        }
        self.gate = gate
        """None where there is no protection."""
        self.counts = flood is not None
        """Whether requests that came here were counted by their address."""
        self._flood = flood
        self._origins = origins
        self._metrics = metrics
        self._log = log
        self.addresses = addresses or Addresses()
        """Where requests come from."""
        self._clock = clock
        self._timer = timer

    def turn_away(
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        address: str | None,
        *,
        level: int | None = None,
    ) -> Refused | int | None:
        """A refusal; or the level of a request that was judged, None if it was not.

        *target* is the path and query as they came, *address* the client's, as far as
        it is believed (``addresses``); *level* what was judged at a glance.
        """
        started, refused = self._timer(), None
        if self._flood is not None:
            refused = self._flood.judge(target, headers, address)
        if refused is None:
            door = self._doors.get((method, target.partition(b"?")[0]))
            if door is not None and door.rule.full():
                refused = door.refused(headers)
        if refused is None and self.gate is not None:
            judged = self.gate.judge(method, target, headers, address, level=level)
            if not isinstance(judged, Refused):
                return judged
            refused = judged
        if refused is None:
            return None
        self._note(refused, self._timer() - started, address)
        return self._marked(refused, target, headers)

    def turn_away_at_a_glance(
        self, target: bytes, headers: Headers, address: str | None
    ) -> Refused | int | None:
        """The same of a GET that nobody has parsed, in a flood.

        Who is refused here is not counted by their address: they have got nothing.
        """
        if self.gate is None:
            return None
        started = self._timer()
        judged = self.gate.judge_flood(b"GET", target, headers, address)
        if not isinstance(judged, Refused):
            return judged
        self._note(judged, self._timer() - started, address)
        return self._marked(judged, target, headers)

    def _marked(self, refused: Refused, target: bytes, headers: Headers) -> Refused:
        """The same, so that the page of another origin can read it if it may."""
        if self._origins is None:
            return refused
        path = target.partition(b"?")[0].decode("latin-1")
        marks = self._origins.marks(path, headers)
        lines = b"".join(b"%s: %s\r\n" % mark for mark in marks)
        return refused._replace(head=refused.head + lines)

    def _note(
        self,
        refused: Refused,
        seconds: float,
        address: str | None,
    ) -> None:
        self._metrics.refused(refused.method, refused.route, refused.status)
        if self._log is None or not refused.is_logged:
            return
        self._log.write(
            Access(
                self._clock(),
                "error" if refused.status >= _STATUS_OF_OURS else "info",
                "request",
                refused.request_id,
                refused.method,
                refused.route,
                refused.route,
                refused.status,
                round(seconds * 1000, 3),
                len(refused.body),
                address,
                decisions=[refused.why],
            )
        )


class _Door:
    """A rule, and what is answered by it."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._written = Written(rule.refusals)

    def refused(self, headers: Headers) -> Refused:
        """What the next one is told."""
        request_id = id_of(headers)
        head, body = self._written.answer(request_id.encode())
        return Refused(
            head,
            body,
            self.rule.method,
            self.rule.route,
            request_id,
            is_logged=True,
            is_kept=True,
            why=f"doorstep:{self.rule.route}=full",
        )
