"""One process of a running shop, seen the same way whatever it is.

A part is launched without waiting, so that several start side by side; then each
is asked whether it is ready. A part that ends before it was ready either explains
itself (``CannotStart``) or is launched again, as when its port was taken meanwhile.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from holdfast.kernel.clock import monotonic
from holdfast.platform.embedded.process import (
    POLL_SECONDS,
    CannotStart,
    Child,
    Command,
    spawn,
)

Tick = Callable[[], None]
"""Called while waiting; what it raises ends the wait."""


def go_on() -> None:
    """The tick of somebody who waits as long as it takes."""


class Part(Protocol):
    """What ``bring_up`` and the supervisor know of a process."""

    @property
    def name(self) -> str: ...

    @property
    def child(self) -> Child | None: ...

    @property
    def start_seconds(self) -> float:
        """How long it may take until it is ready."""

    def launch(self, *, tick: Tick) -> None:
        """Start the process; a first start may have files to make first."""

    def is_ready(self) -> bool:
        """Whether it answers; asked often, so quick to say no."""

    def explain_end(self) -> None:
        """Raise ``CannotStart``, or return when launching again may help."""


def bring_up(
    parts: Sequence[Part],
    *,
    tick: Tick = go_on,
    ready: Callable[[Part], None] = lambda _: None,
) -> None:
    """Launch all of them and return once each is ready, telling *ready* of each.

    On failure the other parts keep running: whoever launched them stops them.
    """
    started = monotonic()
    for part in parts:
        part.launch(tick=tick)
    waiting = list(parts)
    while waiting:
        tick()
        for part in list(waiting):
            if part.is_ready():
                waiting.remove(part)
                ready(part)
            elif part.child is None or not part.child.alive():
                part.explain_end()
                part.launch(tick=tick)
            elif monotonic() > started + part.start_seconds:
                raise CannotStart(
                    f"{part.name} did not answer within {part.start_seconds:.0f} "
                    f"seconds ({part.child.command.log}).",
                    tail=part.child.tail(),
                )
        time.sleep(POLL_SECONDS)


def run_to_end(command: Command, *, seconds: float, tick: Tick = go_on) -> Child:
    """Run a command that ends by itself; it is killed when the time is over."""
    child = spawn(command)
    give_up = monotonic() + seconds
    try:
        while child.alive() and monotonic() < give_up:
            tick()
            time.sleep(POLL_SECONDS)
    finally:
        child.stop()
    return child
