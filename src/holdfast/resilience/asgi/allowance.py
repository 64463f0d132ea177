"""How long the requests of a route may take, in seconds, and how long they do."""

from dataclasses import dataclass, field

from holdfast.resilience.median import Median


@dataclass(slots=True)
class Allowance:
    """What the requests of one route may take, and what they usually do."""

    seconds: float
    usual: Median = field(default_factory=Median)
