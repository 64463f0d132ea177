"""What a simulator can be told to do wrong, as it is written down.

A ``Mishap`` is for one request; a ``Scenario`` is for all that follow and adds
what only makes sense over time. Each simulator adds fields of its own.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from holdfast.simulators.latency import Latency

Fail: TypeAlias = Literal[
    "none",
    "hang",
    "error",
    "unavailable",
    "rate_limited",
    "garbage",
    "reset",
    "hang_after",
    "error_after",
    "garbage_after",
    "reset_after",
]
"""What goes wrong. Plain: nothing was done. ``_after``: it was done, then this."""

Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seed: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
_Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=10**12)]


class Mishap(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """*latency_ms* is for every call; *fail* for a *rate* of them, *count* in all."""

    latency_ms: Latency | None = None
    fail: Fail = "none"
    rate: Share = 1.0
    count: _Count | None = None
    seed: Seed = 0


class Burst(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The first of every so many milliseconds, or calls."""

    every_ms: _Positive | None = None
    for_ms: _Positive | None = None
    every_calls: _Positive | None = None
    for_calls: _Positive | None = None

    def __post_init__(self) -> None:
        time = (self.every_ms is not None, self.for_ms is not None)
        calls = (self.every_calls is not None, self.for_calls is not None)
        if {time, calls} != {(True, True), (False, False)}:
            raise ValueError("Give every_ms and for_ms, or every_calls and for_calls")


class Outage(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"start": "from", "end": "to"},
):
    """Between two instants of the simulator's clock; *start* absent: at once."""

    end: Moment
    start: Moment | None = None
    how: Literal["unavailable", "refuse"] = "unavailable"


class RateLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    per_second: Annotated[int, msgspec.Meta(ge=1, le=10**6)]


class Scenario(Mishap, frozen=True):
    burst: Burst | None = None
    outage: Outage | None = None
    rate_limit: RateLimit | None = None

    @property
    def operations(self) -> tuple[str, ...]:
        """What it is for; empty: whatever the simulator is mainly there for."""
        return ()


class StageState(msgspec.Struct, frozen=True):
    """*calls* and *struck* count from the moment the scenario was set."""

    scenario: Scenario | None
    calls: int
    struck: int
