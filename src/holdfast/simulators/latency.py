"""How long a call takes: a distribution, and one draw from it.

Each draw takes one number from the dice whatever the distribution, so that the
same seed goes on giving the same sequence.
"""

import random
from statistics import NormalDist
from typing import Annotated, TypeAlias

import msgspec

MOST_MS = 600_000

_Milliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MOST_MS)]
_STANDARD = NormalDist()
_P99 = _STANDARD.inv_cdf(0.99)
_SHAPES = ({"fixed"}, {"min", "max"}, {"mean", "sd"}, {"p50", "p99"})


class Latency(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Milliseconds, in one of four shapes.

    ``fixed``; ``min`` and ``max``, drawn evenly; ``mean`` and ``sd``, normal and
    cut off at zero; ``p50`` and ``p99``, lognormal, as networks are.
    """

    fixed: _Milliseconds | None = None
    min: _Milliseconds | None = None
    max: _Milliseconds | None = None
    mean: _Milliseconds | None = None
    sd: _Milliseconds | None = None
    p50: Annotated[int, msgspec.Meta(ge=1, le=MOST_MS)] | None = None
    p99: Annotated[int, msgspec.Meta(ge=1, le=MOST_MS)] | None = None

    def __post_init__(self) -> None:
        if set(self._given()) not in _SHAPES:
            raise ValueError("Give fixed, min and max, mean and sd, or p50 and p99")
        if (self.min or 0) > (self.max or 0) or (self.p50 or 0) > (self.p99 or 0):
            raise ValueError("min must not exceed max, nor p50 p99")

    def draw_seconds(self, dice: random.Random) -> float:
        drawn = dice.random()
        if self.fixed is not None:
            milliseconds: float = self.fixed
        elif self.min is not None and self.max is not None:
            milliseconds = self.min + (self.max - self.min) * drawn
        else:
            # The quantile of a number drawn evenly; it cannot be 0, which has none.
            deviations = _STANDARD.inv_cdf(max(drawn, 2.0**-53))
            if self.mean is not None and self.sd is not None:
                milliseconds = self.mean + self.sd * deviations
            else:
                low, high = self.p50 or 1, self.p99 or 1
                milliseconds = low * (high / low) ** (deviations / _P99)
        return min(max(milliseconds, 0), MOST_MS) / 1000

    def _given(self) -> dict[str, int]:
        named = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in named.items() if value is not None}
