"""The list of measurements. It is all that a new one is added to.

A measurement's module is imported when it is run: each brings what it measures.
"""

from dataclasses import dataclass
from importlib import import_module

from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.rig import Rig
from holdfast.platform.settings import BadSettings

_PACKAGE = __package__


@dataclass(frozen=True, slots=True)
class Measurement:
    """One that can be asked for by its name, which is that of its module."""

    name: str
    title: str

    async def measure(self, rig: Rig) -> Outcome:
        """Measure it on *rig*."""
        module = import_module(f"{_PACKAGE}.{self.name}")
        outcome: Outcome = await module.measure(rig)
        return outcome


MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement("goodput", "What is left of bare applications under load"),
    Measurement("shop", "What is left of the shop under load"),
    Measurement("recovery", "How the shop comes back from a flood"),
    Measurement("layers", "What all layers together cost"),
    Measurement("isolation", "What others notice of a dependency that hangs"),
    Measurement("breaker", "What a circuit costs, and what it spares"),
    Measurement("keys", "What an idempotency key costs"),
    Measurement("limiter", "What a decision about a quota costs, and if it is exact"),
)


def chosen(only: str) -> tuple[Measurement, ...]:
    """Those that are named, in the order of the list; ``BadSettings`` for others."""
    names = [measurement.name for measurement in MEASUREMENTS]
    wanted = {name.strip() for name in only.split(",") if name.strip()} or {*names}
    if unknown := sorted(wanted.difference(names)):
        raise BadSettings(
            f"There is no measurement {', '.join(unknown)}: --only takes some of "
            f"{','.join(names)}"
        )
    return tuple(m for m in MEASUREMENTS if m.name in wanted)
