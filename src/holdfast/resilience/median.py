"""How long something usually takes: a running median in one number.

Each measurement moves the estimate up or down by a share of itself, so that as many
fall below it as above: that is the median, whatever the distribution (Munro and
Paterson's idea, in its one-number form). A mean would follow the few that hang.
"""

_STEP = 0.05
_DOUBT = 0.98
_LONGER = 1.5


class Median:
    """Half of all measurements are below it, more or less; 0 before the first."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        """Something took so long. It takes 0.1 us."""
        if seconds > self.seconds:
            # The first one sets it; nothing of 0 would ever move.
            self.seconds = self.seconds * (1 + _STEP) or seconds
        else:
            self.seconds *= 1 - _STEP

    def note_unfinished(self, seconds: float) -> None:
        """Something was given up after so long: it would have taken longer."""
        self.seconds = max(self.seconds, seconds * _LONGER)

    def doubt(self) -> None:
        """Believe it a little less, each time somebody is refused because of it.

        Else an estimate that is too high would never be proved wrong. At 2 % a time and
        half again for each that fails, one in twenty is let through to try.
        """
        self.seconds *= _DOUBT
