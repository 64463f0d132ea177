"""Knowing how hard a process is pressed, and whom to turn away when it is."""

from holdfast.resilience.load.arrivals import Arrivals
from holdfast.resilience.load.guard import Guard, Served
from holdfast.resilience.load.level import Levels
from holdfast.resilience.load.monitor import Looking, Monitor, Reading
from holdfast.resilience.load.shedder import (
    COHORTS,
    LEVELS,
    TIERS,
    Controller,
    Flow,
    Shedder,
    cohort_of,
    level_of,
)
from holdfast.resilience.load.signals import Last, Rate, Samples, Scale, Signal

__all__ = [
    "COHORTS",
    "LEVELS",
    "TIERS",
    "Arrivals",
    "Controller",
    "Flow",
    "Guard",
    "Last",
    "Levels",
    "Looking",
    "Monitor",
    "Rate",
    "Reading",
    "Samples",
    "Scale",
    "Served",
    "Shedder",
    "Signal",
    "cohort_of",
    "level_of",
]
