"""How many can be served: measured while they are, by the utilisation law.

A server that finishes X requests a second and is busy for the share U of the time has
room for X / U (Denning and Buzen, "The Operational Analysis of Queueing Network
Models", 1978). What else keeps it busy is in U, so the estimate is of what is left for
this kind of request beside everything else: too low rather than too high.
"""

_SMOOTHING = 0.3
# Below that a second tells more about chance than about the server.
_FEWEST_A_SECOND = 2.0
_LEAST_BUSY = 0.05


class Capacity:
    """The capacity of one server, from what it finished and how busy it was."""

    def __init__(self, *, presumed: float) -> None:
        """*presumed* is what it is taken for before anything was measured, a second."""
        if presumed <= 0:
            raise ValueError("the presumed capacity must be positive")
        self._value = presumed
        self._finished = 0

    @property
    def per_second(self) -> float:
        """How many can be served a second."""
        return self._value

    def finished(self) -> None:
        """One more was served."""
        self._finished += 1

    def measure(self, seconds: float, busy: float) -> None:
        """Take in what was finished in *seconds*, busy for the share *busy* (0 to 1).

        Call it about once a second. A time in which next to nothing was served says
        nothing and is left out.
        """
        if seconds <= 0:
            return
        rate, self._finished = self._finished / seconds, 0
        if rate < _FEWEST_A_SECOND:
            return
        seen = rate / min(1.0, max(busy, _LEAST_BUSY))
        self._value += _SMOOTHING * (seen - self._value)
