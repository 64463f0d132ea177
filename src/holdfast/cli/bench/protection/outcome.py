"""What came of one measurement, for people, for programs and for the exit status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of one measurement, and what is not as it should be."""

    lines: Sequence[str] = ()
    """For people, in the order they are shown; may hold a table made of text."""
    faults: Sequence[str] = ()
    """Targets that were missed and promises that were broken: whole sentences."""
    voids: Sequence[str] = ()
    """What could not be measured here and now, and why: whole sentences."""
    figures: Mapping[str, object] = field(default_factory=dict)
    """The same for programs: what ``msgspec`` can make JSON of."""
