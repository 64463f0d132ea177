"""How many requests of each kind are served at once, and how operators change that.

One limiter for each kind of route: what takes a millisecond and what takes a second
must not learn from each other's latency. Bounds follow from the pool of connections to
the database, which nearly every request borrows one of.

| kind     | begins | from | to        | why                                          |
|----------|--------|------|-----------|----------------------------------------------|
| read     | 4p+24  | p    | 16p+16    | short; of many at once, one statement reads  |
|          |        |      |           | many: 64 pages a moment take a third less    |
|          |        |      |           | CPU each than with 36 let in                 |
| write    | 2p+16  | p    | 4p+16     | short, with the disk behind them; more at    |
|          |        |      |           | once only wait for the pool                  |
| checkout | 256    | 16   | 1024      | waits for others (bank, holds in batches)    |
| report   | 2      | 1    | p/2       | long; half of the pool is for everybody else |
| upload   | 32     | 32   | 32        | as long as the client's line is; a MiB each  |

The control ``limit.<kind>`` says otherwise: ``{"algorithm": "fixed", "most": 20}``.
Algorithms are ``gradient`` (the default), ``aimd``, ``fixed``, and ``off``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec

from holdfast.api.policy import Kind, Priority
from holdfast.resilience.concurrency import (
    PATIENT_SECONDS,
    Aimd,
    Fixed,
    Gradient,
    Limit,
    Limiter,
    Queue,
)

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
PREFIX = "limit."
"""Controls below are of one kind each."""
MOST: Final = 100_000
Algorithm: TypeAlias = Literal["gradient", "aimd", "fixed", "off"]

# What is urgent starts although the limit is reached, as long as it has less than its
# share of it under way.
_SHARES: Mapping[Kind, Mapping[int, float]] = {
    "read": {Priority.BUY: 0.2},
    "write": {Priority.PAY: 0.25, Priority.BUY: 0.25},
    "checkout": {Priority.PAY: 0.5},
    "report": {},
    "upload": {},
}
# A limit that cannot fall any further for a large pool would be none.
_MOST_LEAST: Final = 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a limit begins, and what it stays within."""

    initial: int
    least: int
    most: int


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator says of a limit; what is not said is as it usually is."""

    algorithm: Algorithm = "gradient"
    initial: int | None = None
    least: int | None = None
    most: int | None = None

    def bounds(self, usual: Bounds) -> Bounds:
        """The bounds it means; ``ValueError`` if they are none."""
        least = usual.least if self.least is None else self.least
        most = max(usual.most, least) if self.most is None else self.most
        initial = self.initial
        if initial is None:
            initial = min(max(usual.initial, least), most)
        # Said outright, the bounds must fit; left out, they give way.
        if self.least is None:
            least = min(least, most, initial)
        if not 1 <= least <= initial <= most <= MOST:
            raise ValueError("a limit needs 1 <= least <= initial <= most")
        return Bounds(initial, least, most)


def usual_bounds(pool_size: int) -> dict[Kind, Bounds]:
    """The bounds of each kind for a pool of so many connections."""
    # Fewer than there are connections would leave some of them idle.
    least = max(4, min(pool_size, _MOST_LEAST))
    return {
        "read": Bounds(4 * pool_size + 24, least, 16 * pool_size + 16),
        "write": Bounds(2 * pool_size + 16, least, 4 * pool_size + 16),
        "checkout": Bounds(256, 16, 1024),
        "report": Bounds(min(2, max(1, pool_size // 2)), 1, max(1, pool_size // 2)),
        # Its latency says how fast others send, and nothing about this process.
        "upload": Bounds(32, 32, 32),
    }


class Limits:
    """The limiters of this process, as the controls say."""

    def __init__(self, pool_size: int, listen: Callable[[object], None]) -> None:
        self._usual = usual_bounds(pool_size)
        self.rules: dict[Kind, Rule] = {kind: Rule() for kind in KINDS}
        self.limiters: dict[str, Limiter] = {
            kind: Limiter(
                kind,
                made(Rule(), self._usual[kind]),
                queue=Queue(target_seconds=PATIENT_SECONDS),
                shares=_SHARES[kind],
                listen=listen,
                each_call=False,
            )
            for kind in KINDS
        }

    def bounds(self, kind: Kind) -> Bounds:
        """What the limit of *kind* stays within."""
        return self.rules[kind].bounds(self._usual[kind])

    def check(self, kind: Kind, rule: Rule) -> None:
        """Whether *rule* makes sense for *kind*; ``ValueError`` if not."""
        rule.bounds(self._usual[kind])

    def take(self, said: Mapping[str, Any]) -> None:
        """Follow the controls: what they say by kind, the usual where they are silent.

        What cannot be understood is as if it was not said: somebody has written to the
        table by hand.
        """
        for kind in KINDS:
            rule = _read(said.get(kind), self._usual[kind])
            if rule != self.rules[kind]:
                self.rules[kind] = rule
                self.limiters[kind].use(made(rule, self._usual[kind]))


def made(rule: Rule, usual: Bounds) -> Limit:
    """The algorithm that *rule* asks for."""
    bounds = rule.bounds(usual)
    if rule.algorithm == "off":
        return Fixed(MOST)
    if rule.algorithm == "fixed":
        return Fixed(bounds.initial if rule.most is None else bounds.most)
    algorithm = Gradient if rule.algorithm == "gradient" else Aimd
    return algorithm(initial=bounds.initial, least=bounds.least, most=bounds.most)


def _read(value: Any, usual: Bounds) -> Rule:
    if value is None:
        return Rule()
    try:
        rule = msgspec.convert(value, Rule)
        rule.bounds(usual)
    except (msgspec.ValidationError, ValueError):
        return Rule()
    return rule
