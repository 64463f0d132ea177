"""What the load generator is told, and what it tells: the words of both processes."""

from collections.abc import Iterable, Sequence

import msgspec

CONNECTIONS = 2_000
LIMIT_SECONDS = 0.25
"""How long a client waits: what comes later is not OK."""
MAX_LATE_MS = 10.0
"""How late the generator itself may send, in the slowest hundredth."""
MAX_BUSY = 0.95
"""Of its core: beyond that its own queue is measured."""
BIN_SECONDS = 0.25


class Kind(msgspec.Struct):
    """Requests that are counted together."""

    name: str
    requests: list[bytes]
    """Whole, head and body; sent one after the other, from the first again."""
    expected: int = 200
    """The status of an answer that is OK."""
    once: bool = False
    """Whether each may be sent once only: a plan that needs more of them is refused."""


class Phase(msgspec.Struct):
    """A time in which requests are due at a constant rate."""

    name: str
    seconds: float
    rates: list[float]
    """Requests a second of each kind, in the order of the plan."""


class Plan(msgspec.Struct):
    """A whole run."""

    host: str
    port: int
    kinds: list[Kind]
    phases: list[Phase]
    connections: int = CONNECTIONS
    """So many are made beforehand, as a proxy keeps them, and one for each that was
    closed. What is due while all are taken waits for one, and is not OK once it has
    waited as long as a client does."""
    limit_seconds: float = LIMIT_SECONDS
    hang_up: float = 0.1
    """The share of clients that close their connection once they have waited so long;
    the others stay and take the answer, which counts as late all the same."""
    retries: int = 0
    """How often a client asks again that was refused, or that has waited too long."""
    obedient: float = 0.5
    """The share of clients that come back when ``Retry-After`` says, and not sooner."""
    poisson: bool = False
    core: int | None = None
    seed: int = 20


class Times(msgspec.Struct):
    """Of answers, in milliseconds since each was due."""

    count: int = 0
    p50: float = 0.0
    p99: float = 0.0
    worst: float = 0.0


class Count(msgspec.Struct):
    """What became of the requests of one kind that were due in one phase."""

    name: str = ""
    due: int = 0
    ok: int = 0
    """The expected answer, in time."""
    late: int = 0
    """The expected answer, too late."""
    given_up: int = 0
    """No answer in time, and the client has hung up."""
    refused: int = 0
    """429, 503 or 504, in time or not."""
    failed: int = 0
    """Any other answer, or a lost connection."""
    unsent: int = 0
    """No connection was free in time."""
    retries: int = 0
    """Asked again; nothing above counts these."""
    retried_ok: int = 0
    served: Times = msgspec.field(default_factory=Times)
    """Of the expected answers; who has given up counts as having waited so long."""
    turned_away: Times = msgspec.field(default_factory=Times)
    """Of the refusals."""
    errors: dict[str, int] = {}
    """What failed, by the beginning of the answer."""

    @property
    def served_count(self) -> int:
        """Those that got what they asked for, in time or not."""
        return self.ok + self.late

    @property
    def ok_share(self) -> float:
        """Of what was due."""
        return self.ok / self.due if self.due else 0.0


class Seen(msgspec.Struct):
    """What came of one phase."""

    name: str
    seconds: float
    kinds: list[Count]
    in_flight: int = 0
    """Requests without an answer at its end, those that wait for a connection too."""
    late_p99_ms: float = 0.0
    """How late the generator sent."""
    late_worst_ms: float = 0.0
    busy: float = 0.0
    """Of its core."""

    @property
    def due(self) -> int:
        return sum(kind.due for kind in self.kinds)

    @property
    def goodput(self) -> float:
        """OK answers a second."""
        return sum(kind.ok for kind in self.kinds) / self.seconds

    @property
    def ok_share(self) -> float:
        return sum(kind.ok for kind in self.kinds) / self.due if self.due else 0.0

    @property
    def refused(self) -> int:
        return sum(kind.refused for kind in self.kinds)

    @property
    def void(self) -> str | None:
        """Why nothing follows from this phase, if so: the load was not what it says."""
        if self.late_p99_ms > MAX_LATE_MS:
            return (
                f"{self.name}: the load came {self.late_p99_ms:.0f} ms late in the "
                f"slowest hundredth, and {MAX_LATE_MS:g} are allowed."
            )
        if self.busy > MAX_BUSY:
            return (
                f"{self.name}: the load generator was busy {self.busy:.0%} of the "
                f"time, and {MAX_BUSY:.0%} are allowed."
            )
        return None

    def kind(self, name: str) -> Count:
        """That of one kind."""
        return next(kind for kind in self.kinds if kind.name == name)


class Bin(msgspec.Struct):
    """A quarter of a second of the run: what was due in it, and how it went."""

    due: int = 0
    ok: int = 0
    retries: int = 0
    retried_ok: int = 0


class Report(msgspec.Struct):
    """Everything that was seen."""

    phases: list[Seen]
    bins: list[Bin]
    connects: int = 0

    def named(self, name: str) -> Seen:
        """The phase of that name."""
        return next(phase for phase in self.phases if phase.name == name)


def worst_of(phases: Iterable[Seen]) -> list[str]:
    """Why nothing follows from some of these phases: of many reasons the worst."""
    void = [phase for phase in phases if phase.void is not None]
    if not void:
        return []
    worst = max(void, key=lambda phase: (phase.late_p99_ms, phase.busy))
    return [f"Of {len(void)} phases, the worst {worst.void}"]


def needed(plan: Plan, kind: int) -> int:
    """How many requests of a kind fall due, at most, retries aside."""
    due = sum(phase.seconds * phase.rates[kind] for phase in plan.phases)
    # Kinds are drawn: five standard deviations more than on average.
    return int(due + 5 * due**0.5) + 1


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of sorted numbers; 0 if there are none."""
    if not ordered:
        return 0.0
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
