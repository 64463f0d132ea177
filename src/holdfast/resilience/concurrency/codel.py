"""When waiting has become a standing queue rather than a burst.

CoDel as in folly (``folly/executors/Codel.cpp``): remember the shortest wait of an
interval; if even that was above the target, nobody got through quickly for a whole
interval, so the queue is no burst. Until the next interval everything that has waited
more than twice the target is let go. A burst passes untouched: somewhere in the
interval the queue was short.

The waits are those of whoever waited longest at the moment, not of who is served: so
the judgement is the same whether the oldest or the newest goes first.
"""

TARGET_SECONDS = 0.005
"""What Facebook waits in a standing queue, one of many that a request meets."""
PATIENT_SECONDS = 0.02
"""For the only queue that a request meets: who is refused after 10 ms would rather have
waited. A fresh shop said no to one question in twelve, or to half of them, of 64
connections that asked again at once; to none at this target."""
INTERVAL_SECONDS = 0.1


class CoDel:
    """The judgement of one queue; all instants are the caller's."""

    def __init__(self, *, least_seconds: float = TARGET_SECONDS) -> None:
        """*least_seconds* is the target for calls that take no time."""
        self._least_seconds = least_seconds
        self.target_seconds = least_seconds
        self.interval_seconds = INTERVAL_SECONDS
        self.is_overloaded = False
        self._ends_at = float("-inf")
        self._shortest = 0.0

    def tune(self, p50_seconds: float, p90_seconds: float) -> None:
        """Fit target and interval to how long the calls take that are waited for.

        Five milliseconds are much to wait for a call of ten and nothing for one of
        two seconds. A tenth of the middle call, and an interval in which most calls
        end, are the same judgement for both.
        """
        self.target_seconds = max(self._least_seconds, 0.1 * p50_seconds)
        self.interval_seconds = max(INTERVAL_SECONDS, p90_seconds)

    def lets_go(self, waited_seconds: float, now: float) -> bool:
        """Whether one that has waited so long is let go instead of served."""
        if now > self._ends_at:
            # One wait does not make an interval: the first of each is never let go.
            self._ends_at = now + self.interval_seconds
            self.is_overloaded = self._shortest > self.target_seconds
            self._shortest = waited_seconds
            return False
        self._shortest = min(self._shortest, waited_seconds)
        return self.is_overloaded and waited_seconds > 2 * self.target_seconds

    def clear(self) -> None:
        """The queue is empty: nobody waits at all."""
        self._shortest = 0.0
