"""All outcomes of a run, for people and for programs."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from holdfast.cli.bench.protection.outcome import Outcome
from holdfast.cli.bench.protection.rig import Cores
from holdfast.cli.bench.report import machine


@dataclass(frozen=True, slots=True)
class Report:
    """What came of each measurement, by its name."""

    outcomes: Mapping[str, Outcome]
    titles: Mapping[str, str]
    cores: Cores
    point_seconds: float
    seconds: float

    @property
    def faults(self) -> list[str]:
        """Targets that were missed and promises that were broken."""
        return [
            f"{name}: {fault}"
            for name, outcome in self.outcomes.items()
            for fault in outcome.faults
        ]

    @property
    def voids(self) -> list[str]:
        """What could not be measured."""
        return [
            f"{name}: {void}"
            for name, outcome in self.outcomes.items()
            for void in outcome.voids
        ]

    @property
    def status(self) -> int:
        """Of the command: a broken promise is worse than one not looked at."""
        if self.faults:
            return 1
        return 2 if self.voids else 0

    def text(self) -> str:
        """For people."""
        lines = []
        for name, outcome in self.outcomes.items():
            lines += [self.titles[name], *(f"  {line}" for line in outcome.lines), ""]
        lines += [f"{self._setting()}, {self.point_seconds:g} s a point"]
        lines += [f"missed   {fault}" for fault in self.faults]
        lines += [f"void     {void}" for void in self.voids]
        if not self.faults and not self.voids:
            lines.append("Every target is met.")
        return "\n".join([*lines, f"({self.seconds:.0f} s)"])

    def json(self) -> str:
        """For programs."""
        plain = {
            "passed": self.status == 0,
            "faults": self.faults,
            "voids": self.voids,
            "measurements": {
                name: outcome.figures for name, outcome in self.outcomes.items()
            },
            "machine": machine(),
            "python": platform.python_version(),
            "cores": {"server": self.cores.server, "load": self.cores.load},
            "seconds_a_point": self.point_seconds,
            "seconds": round(self.seconds, 1),
        }
        return msgspec.json.format(msgspec.json.encode(plain)).decode()

    def _setting(self) -> str:
        pinned = (
            f"server on core {self.cores.server}, load on core {self.cores.load}"
            if self.cores.server is not None
            else "nothing pinned to a core"
        )
        return f"{machine()}, Python {platform.python_version()}, {pinned}"
