"""How much callers may do, as a deployment and its operators say it in a line.

``20/s:100`` is twenty units a second on average and a hundred at once; ``5/10m`` is
five in ten minutes, and five at once. Periods are in seconds, minutes, hours or days.
In the settings names come before: ``guest=50/s:500 customer=off``; ``*`` is every
policy that is not named beside it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.resilience.rate import Quota

OFF = "off"
EVERY = "*"

_NAME = r"[a-z0-9][a-z0-9-]{0,47}"
_SAID = re.compile(rf"({_NAME}|\*)=(\S+)")
_RATE = re.compile(r"([1-9]\d{0,11})/([1-9]\d{0,6})?([smhd])(?::([1-9]\d{0,8}))?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many units a period, and so many at once."""

    tokens: int
    period_seconds: int
    burst: int

    def __str__(self) -> str:
        unit, size = next(
            (unit, size)
            for unit, size in sorted(_SECONDS.items(), key=lambda item: -item[1])
            if self.period_seconds % size == 0
        )
        times = self.period_seconds // size
        return f"{self.tokens}/{times if times > 1 else ''}{unit}:{self.burst}"

    def quota(self, name: str, *, strict: bool = False) -> Quota:
        """The same as a quota of that name; ``ValueError`` if it cannot be counted."""
        return Quota(
            name,
            burst=self.burst,
            tokens=self.tokens,
            period_seconds=self.period_seconds,
            strict=strict,
        )


DEFAULTS: Mapping[str, Rate] = {
    # A third of what a process can answer: what is refused later costs something, too.
    "address": Rate(500, 1, 2000),
    # A storefront's page takes about ten requests; an office has one address.
    "browsing": Rate(50, 1, 500),
    # Ten changes a second, a hundred at once: thousands on a mobile network share an
    # address, and they all want what is on sale at noon.
    "guest": Rate(50, 1, 500),
    "cart": Rate(20, 1, 200),
    "customer": Rate(20, 1, 100),
    "customer-daily": Rate(200_000, 86_400, 200_000),
    "staff": Rate(50, 1, 500),
    "service": Rate(50, 1, 300),
    # A hundred changes a second: it stops a loop that has lost its mind, nobody else.
    "key": Rate(500, 1, 5000),
    "partner": Rate(100, 1, 400),
    "partner-daily": Rate(1_000_000, 86_400, 1_000_000),
    "credentials": Rate(5, 60, 5),
    "credentials-address": Rate(30, 60, 30),
    # Applications renew their tokens every few minutes: an office of a thousand.
    "token": Rate(300, 60, 300),
}
"""The policies that come with the shop; ``docs/explanation/protection/`` says why."""

ROOM = {"HOLDFAST_RATE_LIMITS": "*=1000000/s:1000000"}
"""For benchmarks and proofs, in which everybody comes from one address: all is counted
as ever, and nobody is refused."""


def read_rate(text: str) -> Rate:
    """The rate that *text* says; ``ValueError`` says what is wrong with it."""
    if (found := _RATE.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is not like 20/s:100, 5/10m or off")
    tokens, times, unit, burst = found.groups()
    rate = Rate(
        int(tokens), int(times or 1) * _SECONDS[unit], int(burst) if burst else 0
    )
    if not burst:
        rate = Rate(rate.tokens, rate.period_seconds, rate.tokens)
    rate.quota("checked")
    return rate


def read(text: str) -> tuple[dict[str, Rate | None], list[str]]:
    """The rates that *text* says by policy, None for off; and what is wrong with it."""
    rates: dict[str, Rate | None] = {}
    faults: list[str] = []
    for word in text.replace(",", " ").split():
        if (said := _SAID.fullmatch(word)) is None:
            faults.append(f"must be like guest=50/s:500 customer=off, not {word!r}")
            continue
        name, rate = said.groups()
        if name != EVERY and name not in DEFAULTS:
            faults.append(f"names {name}: there are {', '.join(sorted(DEFAULTS))}")
        if name in rates:
            faults.append(f"says {name} twice")
        try:
            rates[name] = None if rate == OFF else read_rate(rate)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    return rates, faults
