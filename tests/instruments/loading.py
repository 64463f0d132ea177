"""The load of a process whose time and CPU are moved by hand."""

from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from holdfast.api.protection.load import Load
from holdfast.api.protection.metrics_load import LoadMetrics
from holdfast.platform.settings import Settings

_AT = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


class Loaded:
    """A ``Load``, and what moves it."""

    def __init__(self, **environ: str) -> None:
        self.now = 1000.0
        self.used = 0.0
        self.registry = CollectorRegistry()
        self.load = Load(
            Settings.read({"HOLDFAST_ENV": "test", **environ}),
            clock=lambda: _AT,
            metrics=LoadMetrics(self.registry),
            timer=lambda: self.now,
            cpu=lambda: self.used,
        )

    def force(self, level: int) -> None:
        """As an operator does."""
        self.load._said({"level": {"level": level, "until": "2030-01-01T00:00:00Z"}})

    def look(self, times: int = 1, *, late: float = 0.0, busy: float = 0.0) -> None:
        """So many looks; each *late*, with so much of the CPU used."""
        for _ in range(times):
            self.now += 0.05 + late
            self.used += (0.05 + late) * busy
            self.load.look(late)

    def counted(self, name: str, **labels: Any) -> float:
        """The value of a metric; 0 if it has none."""
        self.load.metrics.hand_on(self.load)
        value = self.registry.get_sample_value(f"holdfast_{name}", labels)
        return value or 0.0

    @property
    def text(self) -> str:
        """All metrics."""
        self.load.metrics.hand_on(self.load)
        return generate_latest(self.registry).decode()
