"""Keeping the parts of a shop running until somebody says stop.

A part that ends is started again, after a pause that doubles each time; one that
keeps ending brings the shop down with a sentence, because a machine that restarts
for ever looks healthy from outside. Parts stop in the reverse of the order in which
they are named: the API finishes its requests while all it needs still runs.
"""

import select
import signal
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeAlias

from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.embedded.part import Part, bring_up
from holdfast.platform.embedded.process import CannotStart
from holdfast.platform.embedded.program import describe

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_DEATHS = 6
_WITHIN_SECONDS = 60.0
_LOOK_SECONDS = 0.25

Say: TypeAlias = Callable[[str], None]


class Interrupted(BaseException):
    """Somebody asked us to stop; not an error."""


class Signals:
    """Requests to stop, noticed at points where stopping is safe."""

    def __init__(self) -> None:
        self._received = 0
        self._inbox, self._outbox = socket.socketpair()
        for end in (self._inbox, self._outbox):
            end.settimeout(0)  # a wake-up never waits

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signals of this process meanwhile; main thread only."""
        # A child that ends wakes the loop too, by way of the same socket.
        numbers = (*_STOPPING, signal.SIGCHLD)
        before = {number: signal.signal(number, self._note) for number in numbers}
        wakeup = signal.set_wakeup_fd(self._outbox.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._inbox.close()
            self._outbox.close()

    def check(self) -> None:
        """Raise ``Interrupted`` if we were asked to stop; use it as a tick."""
        if self._received:
            raise Interrupted

    def hurried(self) -> bool:
        """Whether they asked twice."""
        return self._received > 1

    def wait(self, seconds: float) -> None:
        """Sleep, but not through a signal."""
        if select.select([self._inbox], [], [], seconds)[0]:
            self._inbox.recv(4096)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in _STOPPING:
            self._received += 1


@dataclass(slots=True)
class _Watched:
    """A part, and what has become of it."""

    part: Part
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=_DEATHS))
    due: float | None = None  # when to launch it again
    launched: float | None = None  # when it was, if it is not ready yet


class Supervisor:
    """Starts parts, restarts them, stops them."""

    def __init__(
        self,
        signals: Signals,
        *,
        say: Say,
        forgiving: bool = False,
        now: Monotonic = monotonic,
    ) -> None:
        self._signals = signals
        self._say = say
        self._forgiving = forgiving
        self._now = now
        self._watched: list[_Watched] = []

    def start(self, *parts: Part, ready: Callable[[Part], None]) -> None:
        """Start them side by side; named in the order of who needs whom."""
        self._watched += [_Watched(part) for part in parts]
        # The last first: PostgreSQL, named first, may have a folder to make, and
        # what does not need it can start meanwhile.
        bring_up(tuple(reversed(parts)), tick=self._signals.check, ready=ready)

    def watch(self, *, each: Callable[[], None] = lambda: None) -> None:
        """Keep them running; ends with ``Interrupted`` or ``CannotStart``."""
        while True:
            self._signals.check()
            for watched in self._watched:
                self._look_after(watched)
            each()
            self._signals.wait(_LOOK_SECONDS)

    def restart(self, parts: Sequence[Part]) -> None:
        """Stop these and launch them again at once, as after a change of code."""
        chosen = [watched for watched in self._watched if watched.part in parts]
        for watched in reversed(chosen):
            if watched.part.child is not None:
                watched.part.child.stop(hurry=self._signals.hurried)
        for watched in chosen:
            watched.deaths.clear()
            watched.due = self._now()

    def stop(self) -> None:
        """Stop all that run, the last named first; a second signal hurries."""
        for watched in reversed(self._watched):
            child = watched.part.child
            if child is not None and child.alive():
                self._say(f"stopping {watched.part.name}")
            if child is not None:
                child.stop(hurry=self._signals.hurried)

    def _look_after(self, watched: _Watched) -> None:
        part, now = watched.part, self._now()
        if watched.due is not None:
            if now >= watched.due:
                watched.due, watched.launched = None, now
                part.launch(tick=self._signals.check)
        elif part.child is None or not part.child.alive():
            self._died(watched)
        elif watched.launched is not None:
            if part.is_ready():
                watched.launched = None
                self._say(f"{part.name} runs again (process {part.child.pid})")
            elif now > watched.launched + part.start_seconds:
                part.child.kill()

    def _died(self, watched: _Watched) -> None:
        part, child, now = watched.part, watched.part.child, self._now()
        how = describe(child.exit_code if child is not None else None)
        if child is not None:
            # What it started must not keep its port.
            child.kill()
        watched.launched = None
        watched.deaths.append(now)
        recent = sum(now - death < _WITHIN_SECONDS for death in watched.deaths)
        if recent >= _DEATHS and not self._forgiving:
            raise CannotStart(
                f"{part.name} ended {recent} times within a minute ({how}): giving up.",
                tail=child.tail() if child is not None else "",
            )
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (recent - 1), _LONGEST_PAUSE_SECONDS)
        watched.due = now + pause
        self._say(f"{part.name} ended ({how}); starting it again in {pause:.1f} s")
