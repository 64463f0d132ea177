"""What a payment provider can say about a charge."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Captured:
    """The money is ours; the provider knows the charge by this reference."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider said no, or the charge was cancelled before it happened."""

    reason: str


Outcome: TypeAlias = Captured | Declined
"""What became of a charge, once it is known for certain."""

NOTHING_DUE = Captured("nothing_due")
"""An order of zero is paid by itself; no provider charges nothing."""
