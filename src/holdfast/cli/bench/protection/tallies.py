"""Counting what becomes of requests, at thousands of them a second."""

from array import array
from collections import Counter

from holdfast.cli.bench.protection.plan import Count, Seen, Times, percentile

_SHOWN_BYTES = 160
_MOST_ERRORS = 20


class Tally:
    """Of one kind of requests in one phase."""

    __slots__ = (
        *("due", "errors", "failed", "given_up", "late", "ok", "refused"),
        *("retried_ok", "retries", "served", "turned_away", "unsent"),
    )

    def __init__(self) -> None:
        self.due = self.ok = self.late = self.given_up = self.refused = 0
        self.failed = self.unsent = self.retries = self.retried_ok = 0
        self.served = array("f")
        self.turned_away = array("f")
        self.errors: Counter[str] = Counter()

    def fail(self, what: str) -> None:
        """Count what nobody expected, by its words; of many, the first ones."""
        self.failed += 1
        if what in self.errors or len(self.errors) < _MOST_ERRORS:
            self.errors[what] += 1

    def answer(self, answer: bytes) -> None:
        """Count an answer that is neither expected nor a refusal."""
        body = answer.partition(b"\r\n\r\n")[2][:_SHOWN_BYTES]
        self.fail(f"{answer[9:12].decode()} {body!r}")

    def count(self, name: str) -> Count:
        return Count(
            name=name,
            due=self.due,
            ok=self.ok,
            late=self.late,
            given_up=self.given_up,
            refused=self.refused,
            failed=self.failed,
            unsent=self.unsent,
            retries=self.retries,
            retried_ok=self.retried_ok,
            served=_times(self.served),
            turned_away=_times(self.turned_away),
            errors=dict(self.errors),
        )


class Clocking:
    """How well the generator keeps its own schedule in one phase."""

    def __init__(self) -> None:
        self.lateness = array("f")
        self.in_flight = 0
        self.busy = 0.0

    def seen(self, name: str, seconds: float, kinds: list[Count]) -> Seen:
        late = _times(self.lateness)
        return Seen(
            name=name,
            seconds=seconds,
            kinds=kinds,
            in_flight=self.in_flight,
            late_p99_ms=late.p99,
            late_worst_ms=late.worst,
            busy=self.busy,
        )


def _times(seconds: "array[float]") -> Times:
    ordered = sorted(seconds)
    if not ordered:
        return Times()
    return Times(
        len(ordered),
        round(percentile(ordered, 0.5) * 1000, 3),
        round(percentile(ordered, 0.99) * 1000, 3),
        round(ordered[-1] * 1000, 3),
    )
