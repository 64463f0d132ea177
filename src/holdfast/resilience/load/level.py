"""Levels of pressure, which do not flutter, and which an operator can force.

A level begins as soon as the pressure reaches its entry, and ends when the pressure has
stayed a tenth below that entry for two seconds. Without the gap, what is switched off
at a level would lower the pressure, come back, and raise it again, several times a
second.

Each level waits for itself: after a short peak all of them end two seconds after it,
not one after another.
"""

from collections.abc import Sequence

ENTRIES = (0.3, 0.5, 0.7, 1.0)
"""Extras go at the first three, the last is for a flood."""
_LEAVE_SHARE = 0.9
_LEAVE_SECONDS = 2.0


class Levels:
    """The level for a pressure; 0 is nothing to worry about."""

    def __init__(
        self,
        entries: Sequence[float] = ENTRIES,
        *,
        leave_share: float = _LEAVE_SHARE,
        leave_seconds: float = _LEAVE_SECONDS,
    ) -> None:
        if not entries or list(entries) != sorted(set(entries)) or entries[0] <= 0:
            raise ValueError("entries must rise from above zero")
        self._entries = tuple(entries)
        self._share = leave_share
        self._seconds = leave_seconds
        # When the pressure was last too high for each level to end; None: not in it.
        self._held_at: list[float | None] = [None] * len(entries)
        self._measured = 0
        self._forced: tuple[int, float] | None = None

    @property
    def highest(self) -> int:
        """The level of the highest pressure."""
        return len(self._entries)

    @property
    def measured(self) -> int:
        """What the pressure says, whatever was forced."""
        return self._measured

    @property
    def forced(self) -> int | None:
        """What an operator says; None if nothing, or no longer."""
        return None if self._forced is None else self._forced[0]

    @property
    def level(self) -> int:
        """What counts."""
        return self._measured if self._forced is None else self._forced[0]

    def force(self, level: int, until: float) -> None:
        """Hold *level* until then, whatever the pressure."""
        if not 0 <= level <= self.highest:
            raise ValueError(f"level must be between 0 and {self.highest}")
        self._forced = (level, until)

    def release(self) -> None:
        """Go back to what the pressure says."""
        self._forced = None

    def update(self, pressure: float, now: float) -> int:
        """Take the pressure of this moment into account; returns the level."""
        if self._forced is not None and now >= self._forced[1]:
            self._forced = None
        measured = 0
        for index, entry in enumerate(self._entries):
            held_at = self._held_at[index]
            if pressure >= entry:
                held_at = now
            elif held_at is not None:
                if pressure > entry * self._share:
                    held_at = now
                elif now - held_at >= self._seconds:
                    held_at = None
            self._held_at[index] = held_at
            if held_at is not None:
                measured = index + 1
        self._measured = measured
        return self.level
