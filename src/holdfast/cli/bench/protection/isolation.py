"""What people who only look notice of a dependency that hangs.

At half of the peak, in turns: the payment provider and the carrier answer, then they
take every request and never answer. Beside those who look and search, as many people
as ever pay, or try to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import aiohttp

from holdfast.cli.bench.instance import Instance
from holdfast.cli.bench.protection.drive import Observed, drive
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.plan import Phase, Times, worst_of
from holdfast.cli.bench.protection.rig import Rig
from holdfast.cli.bench.protection.shop import peak_of
from holdfast.cli.bench.protection.shop_load import (
    BROWSE,
    CHECKOUT,
    PROXY,
    SEARCH,
    Mall,
    Opened,
    rates,
)

MAX_RATIO = 1.5
"""How much longer the slowest hundredth of the others may take."""
ROUNDS = 3
_SHARE = 0.5
_OTHERS = (BROWSE, SEARCH)
_DEPENDENCIES = {
    "HOLDFAST_PAYMENT_URL": ["charge"],
    "HOLDFAST_CARRIER_URL": ["rates"],
}
_WARM, _SEEN = "warm", "seen"


@dataclass(frozen=True, slots=True)
class Isolation:
    """One shop, in each round."""

    healthy: Sequence[Observed]
    hung: Sequence[Observed]

    def times(self, kind: str) -> tuple[float, float]:
        """The p99 of *kind* in ms with healthy dependencies and with hung ones."""
        return median(_p99s(self.healthy, kind)), median(_p99s(self.hung, kind))

    def ratio(self, kind: str) -> float:
        healthy, hung = self.times(kind)
        return round(hung / max(healthy, 1e-3), 2)

    @property
    def paid(self) -> float:
        """The share of those who wanted to pay and did so in time, while it hung."""
        seen = [hung.report.named(_SEEN).kind(CHECKOUT) for hung in self.hung]
        return sum(k.ok for k in seen) / max(sum(k.due for k in seen), 1)

    @property
    def line(self) -> str:
        told = []
        for kind in _OTHERS:
            healthy, hung = self.times(kind)
            told.append(
                f"{kind} {healthy:.1f} ms, {hung:.1f} ms while they hang "
                f"({self.ratio(kind):g} times)"
            )
        return f"p99 of {'; '.join(told)}; {self.paid:.0%} could pay meanwhile"

    @property
    def figures(self) -> dict[str, object]:
        return {
            kind: {
                "healthy_p99_ms": self.times(kind)[0],
                "hung_p99_ms": self.times(kind)[1],
                "ratio": self.ratio(kind),
            }
            for kind in _OTHERS
        } | {"phases": [hung.report.phases for hung in self.hung]}


def faults_of(isolation: Isolation) -> list[str]:
    """Targets that a protected shop has missed."""
    return [
        f"The p99 of {kind} is {isolation.ratio(kind):g} times as long while others' "
        f"dependencies hang, and {MAX_RATIO:g} are allowed."
        for kind in _OTHERS
        if isolation.ratio(kind) > MAX_RATIO
    ]


async def measure(rig: Rig) -> Outcome:
    """A shop without protection, and one with it."""
    with rig.shop(**PROXY, HOLDFAST_PROTECTION="off") as instance:
        async with Opened(instance, rig) as mall:
            peak = await peak_of(mall)
            control = await measured(mall, peak)
    with rig.shop(**PROXY) as instance:
        async with Opened(instance, rig) as mall:
            shielded = await measured(mall, peak)
    every = (*shielded.healthy, *shielded.hung, *control.healthy, *control.hung)
    return Outcome(
        lines=[f"protected  {shielded.line}", f"control    {control.line}"],
        faults=faults_of(shielded),
        voids=worst_of(seen.report.named(_SEEN) for seen in every),
        figures={"protected": shielded.figures, "control": control.figures},
    )


async def measured(mall: Mall, peak: float, rounds: int = ROUNDS) -> Isolation:
    """One shop."""
    healthy, hung = [], []
    for number in range(rounds):
        mall.rig.tell(f"dependencies that hang, round {number + 1} of {rounds}")
        healthy.append(await _seen(mall, peak))
        await _hang(mall.instance)
        try:
            hung.append(await _seen(mall, peak))
        finally:
            await _behave(mall.instance)
    return Isolation(healthy, hung)


async def _seen(mall: Mall, peak: float) -> Observed:
    await mall.rest()
    load, seconds = rates(peak * _SHARE), mall.rig.seconds
    # By then it is known that they hang; nobody else waits for that either way.
    phases = [Phase(_WARM, seconds / 4, load), Phase(_SEEN, seconds, load)]
    return await drive(await mall.plan(phases), mall.clocks)


async def _hang(instance: Instance) -> None:
    async with aiohttp.ClientSession(trust_env=False) as session:
        for name, operations in _DEPENDENCIES.items():
            url = f"{instance.addresses[name]}/control/scenario"
            said = {"fail": "hang", "on": operations}
            async with session.put(url, json=said) as answer:
                answer.raise_for_status()


async def _behave(instance: Instance) -> None:
    async with aiohttp.ClientSession(trust_env=False) as session:
        for name in _DEPENDENCIES:
            url = f"{instance.addresses[name]}/control/scenario"
            async with session.delete(url) as answer:
                answer.raise_for_status()


def _p99s(seen: Sequence[Observed], kind: str) -> list[float]:
    times: list[Times] = [one.report.named(_SEEN).kind(kind).served for one in seen]
    return [one.p99 for one in times]
