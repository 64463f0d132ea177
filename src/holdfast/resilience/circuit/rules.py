"""When a circuit opens, for how long, and what closes it again.

The defaults are for calls between services. They differ from those of other libraries
where those have been found wanting: resilience4j and Polly want 100 calls before they
judge, which a worker that makes five a second collects in twenty seconds; hyx,
purgatory and pybreaker count failures in a row, which one success in between resets.
"""

from dataclasses import dataclass

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of one circuit; ``ValueError`` where they make no sense."""

    window_seconds: float = 10.0
    """Only calls that ended within it count."""
    buckets: int = 10
    """How finely the window moves."""
    minimum_calls: int = 20
    """Below it no rate is looked at: one failure of one call is 100 % too."""
    unreachable_in_a_row: int = 5
    """So many connections that nobody takes open it before the minimum is reached."""
    failure_percent: int = 50
    slow_percent: int = 80
    slow_share: float = 0.8
    """A call that takes more than this share of its time limit was slow."""
    open_seconds: float = 2.0
    """How long it is open the first time; twice as long each time after."""
    longest_open_seconds: float = 60.0
    jitter: float = 0.2
    """By which share either way: processes that opened together do not come back so."""
    permits: int = 3
    """How many calls may probe at once while it is half open."""
    successes_to_close: int = 5
    failures_to_reopen: int = 2
    patience: float = 2.0
    """A probe that takes so many times its time limit is taken for lost: it reopens."""

    def __post_init__(self) -> None:
        counts = (
            self.buckets,
            self.minimum_calls,
            self.unreachable_in_a_row,
            self.permits,
            self.successes_to_close,
            self.failures_to_reopen,
        )
        if min(counts) < 1:
            raise ValueError("a circuit counts from one")
        if not 0 < self.open_seconds <= self.longest_open_seconds:
            raise ValueError("a circuit is open for a while, and longest longer")
        if self.window_seconds <= 0 or self.patience < 1:
            raise ValueError("a circuit needs a window and some patience")
        if not all(
            0 < percent <= _PERCENT
            for percent in (self.failure_percent, self.slow_percent)
        ):
            raise ValueError("a rate is above 0 and at most 100 percent")
        if not (0 < self.slow_share <= 1 and 0 <= self.jitter < 1):
            raise ValueError("a share is between 0 and 1")
