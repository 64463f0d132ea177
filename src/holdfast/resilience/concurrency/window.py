"""What was seen of the calls in a stretch of time, and when that is enough to judge.

A window is at least half a second and thirty samples long: shorter ones measure the
noise, and a service that is hardly used says nothing about how much it could do. Only
two kinds of calls are samples: those that succeeded, by how long they took, and those
that ran past their deadline, by their number. How long a late call ran is its
deadline's doing; taken for a latency it would make an overload look fast. A call that
was turned away never ran, and a failure is as fast as whatever failed.
"""

from dataclasses import dataclass

_KEPT = 4096
"""Latencies kept of one window; of more, the latest. To sort them takes half a
millisecond, and a sampled p90 of as many is off by less than 1.5 percentile points."""

_CALLS = 5
"""Times a call that a window lasts: of those that began in it most end in it."""
_LONGEST_SECONDS = 10.0
_LEAST_SECONDS = 1e-6
"""What a call takes at least, whatever a coarse clock says: ratios are made of it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Calls of one limiter that ended within so many seconds."""

    seconds: float
    successes: int
    dropped: int
    """Ran past their deadline."""
    p50_seconds: float
    """Of the successes; 0 if there are none."""
    p90_seconds: float
    useful_seconds: float
    """How long permits were held for each success, by those that were late, too; 0 if
    there are no successes."""
    max_inflight: int
    """The most calls that were under way when one of these began, itself included."""
    mean_inflight: float
    """The same, in the mean of the successes; 0 if there are none."""
    was_full: bool
    """Some call found no permit free."""

    @property
    def drop_ratio(self) -> float:
        """The share of the samples that ran past their deadline."""
        samples = self.successes + self.dropped
        return self.dropped / samples if samples else 0.0


class Collector:
    """Gathers samples into windows; all instants are the caller's."""

    def __init__(
        self,
        now: float,
        *,
        window_seconds: float = 0.5,
        min_samples: int = 30,
        warmup_samples: int = 50,
    ) -> None:
        """Begin the first window.

        The first *warmup_samples* successes are not samples: the calls that fill
        pools and caches would become the measure of all that follow.
        """
        self._window_seconds = window_seconds
        self._min_samples = min_samples
        self._warmup = warmup_samples
        self._begin(now)

    def _begin(self, now: float, call_seconds: float = 0.0) -> None:
        self._began_at = now
        least = min(_CALLS * call_seconds, _LONGEST_SECONDS)
        self._due_at = now + max(self._window_seconds, least)
        self._latencies: list[float] = []
        self._successes = 0
        self._dropped = 0
        self._max_inflight = 0
        self._sum_inflight = 0
        self._held_seconds = 0.0
        self._was_full = False
        self._is_spoilt = False

    def success(self, now: float, seconds: float, inflight: int) -> Window | None:
        """A call took *seconds*; the window, if this was the last it needed."""
        if self._warmup:
            self._warmup -= 1
            return None
        if now - seconds < self._began_at:
            return None
        if seconds < _LEAST_SECONDS:  # noqa: PLR1730 - max() takes 0.08 us, this 0.02
            seconds = _LEAST_SECONDS
        if self._successes < _KEPT:
            self._latencies.append(seconds)
        else:
            self._latencies[self._successes % _KEPT] = seconds
        self._successes += 1
        self._sum_inflight += inflight
        self._held_seconds += seconds
        if inflight > self._max_inflight:  # noqa: PLR1730 - as above
            self._max_inflight = inflight
        if now < self._due_at:
            return None
        return self._close(now)

    def drop(self, now: float, seconds: float, inflight: int) -> Window | None:
        """A call was late after *seconds*; the window, if this was the last."""
        self._dropped += 1
        self._held_seconds += seconds
        self._max_inflight = max(self._max_inflight, inflight)
        if now < self._due_at:
            return None
        return self._close(now)

    def full(self) -> None:
        """Some call found no permit free."""
        self._was_full = True

    def spoil(self) -> None:
        """The window holds a stall of the process: its latencies say nothing."""
        self._is_spoilt = True

    def _close(self, now: float) -> Window | None:
        if self._successes + self._dropped < self._min_samples:
            return None
        if self._is_spoilt:
            self._begin(now)
            return None
        latencies = sorted(self._latencies)
        window = Window(
            seconds=now - self._began_at,
            successes=self._successes,
            dropped=self._dropped,
            p50_seconds=_quantile(latencies, 0.5),
            p90_seconds=_quantile(latencies, 0.9),
            useful_seconds=self._held_seconds / max(self._successes, 1),
            max_inflight=self._max_inflight,
            mean_inflight=self._sum_inflight / max(self._successes, 1),
            was_full=self._was_full,
        )
        self._begin(now, window.useful_seconds)
        return window


def _quantile(ordered: list[float], share: float) -> float:
    """The smallest value that *share* of them do not exceed; 0 of none."""
    if not ordered:
        return 0.0
    return ordered[max(-int(-share * len(ordered) // 1) - 1, 0)]
