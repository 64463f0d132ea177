"""What all layers together cost: product detail with protection and without.

Two shops at once, of which one is measured at a time, in turns: whatever else the
machine does, both have it. As in stage A of ``holdfast bench``, 32 users read products
by their handles, each waiting for an answer before the next request.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median

from holdfast.cli.bench.dataset import dataset, load
from holdfast.cli.bench.instance import Instance
from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.rig import Rig, pin
from holdfast.cli.bench.protection.shop_load import PROXY
from holdfast.cli.bench.stages import Result, Stages
from holdfast.platform.db import Database

MAX_COST = 0.15
"""Of the throughput."""
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Layers:
    """Both shops, in each round."""

    shielded: Sequence[Result]
    control: Sequence[Result]

    @property
    def cost(self) -> float:
        """By how much protection lowers the throughput: the middle of all rounds."""
        pairs = zip(self.shielded, self.control, strict=True)
        return round(median(1 - one.rate / other.rate for one, other in pairs), 4)

    @property
    def faults(self) -> list[str]:
        found = []
        for name, results in (("with", self.shielded), ("without", self.control)):
            errors = _together(results)
            found += [
                f"{number:,} of the requests {name} protection were answered {error}."
                for error, number in errors.items()
            ]
        if self.cost > MAX_COST:
            found.append(
                f"All layers cost {self.cost:.1%} of the throughput, and "
                f"{MAX_COST:.0%} are allowed."
            )
        return found

    @property
    def lines(self) -> list[str]:
        return [
            f"{name}  {median(rate(results)):,.0f} a second "
            f"({min(rate(results)):,.0f} to {max(rate(results)):,.0f}), "
            f"{median(result.cpu_us.get('api', 0.0) for result in results):,.0f} us "
            f"of CPU each, {sum(result.turned_away for result in results):,} told to "
            "come back"
            for name, results in (
                ("protected", self.shielded),
                ("control  ", self.control),
            )
        ] + [f"all layers cost {self.cost:.1%} of the throughput"]


def _together(results: Sequence[Result]) -> Counter[str]:
    errors: Counter[str] = Counter()
    for result in results:
        errors.update(result.errors)
    return errors


def rate(results: Sequence[Result]) -> list[float]:
    """Requests a second of each."""
    return [result.rate for result in results]


async def measure(rig: Rig) -> Outcome:
    """Both, in turns."""
    layers = await measured(rig)
    return Outcome(
        lines=layers.lines,
        faults=layers.faults,
        figures={
            "cost": layers.cost,
            "protected": layers.shielded,
            "control": layers.control,
        },
    )


async def measured(rig: Rig, rounds: int = ROUNDS) -> Layers:
    """Both, in so many turns."""
    shielded, control = [], []
    with (
        rig.shop(**PROXY) as with_it,
        rig.shop(**PROXY, HOLDFAST_PROTECTION="off") as without,
    ):
        async with AsyncExitStack() as closing:
            on = await _filled(rig, with_it, closing)
            off = await _filled(rig, without, closing)
            _start_clients_on(rig.cores.load)
            await on.product()
            await off.product()
            for number in range(rounds):
                rig.tell(f"product detail, round {number + 1} of {rounds}")
                shielded.append(await on.product())
                control.append(await off.product())
    return Layers(shielded, control)


def _start_clients_on(core: int | None) -> None:
    """A client runs where the thread that starts it may run."""
    threads = ThreadPoolExecutor(1, initializer=pin, initargs=(core,))
    asyncio.get_running_loop().set_default_executor(threads)


async def _filled(rig: Rig, instance: Instance, closing: AsyncExitStack) -> Stages:
    rig.tell("filling a shop")
    db = await Database.connect(instance.addresses["DATABASE_URL"], size=2)
    closing.push_async_callback(db.close)
    await load(db)
    # Half the time, as each has ten turns.
    return Stages(instance, db, dataset(), rig.seconds / 2)
