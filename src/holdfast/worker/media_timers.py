"""What the worker does with pictures: draw those that wait, and sweep up."""

from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import CollectorRegistry

from holdfast.domain.media import DrawingMetrics, Studio
from holdfast.worker.handlers import Reach
from holdfast.worker.recurring import Recurring
from holdfast.worker.schedule import Timer
from holdfast.workflows.media import SWEEP_AT_ONCE, Darkroom

SWEEP_EVERY = timedelta(seconds=15)
LOOK_EVERY_SECONDS = 1.0
"""How often to look for a picture that waits; the query reads an index of them."""


@dataclass(frozen=True)
class _Media:
    """What is done, and with what."""

    room: Darkroom

    async def draw(self) -> float:
        return 0.0 if await self.room.draw_next() else LOOK_EVERY_SECONDS

    async def sweep(self) -> None:
        swept = SWEEP_AT_ONCE
        while swept == SWEEP_AT_ONCE:
            swept = await self.room.sweep()


@dataclass(frozen=True)
class MediaWork:
    """The activity that draws, one picture after the other, and the timer that sweeps.

    Both fail while the storage is away, and all else the worker does goes on.
    """

    drawing: tuple[Recurring, ...] = ()
    timers: tuple[Timer, ...] = ()


def media_work(reach: Reach, registry: CollectorRegistry) -> MediaWork:
    """What there is to do with pictures; nothing where there are none."""
    if reach.storage is None:
        return MediaWork()
    media = _Media(
        Darkroom(
            *(reach.db, reach.storage, Studio(), reach.clock),
            metrics=DrawingMetrics(registry),
        )
    )
    return MediaWork(
        (Recurring("draw_media", media.draw, dispensable=True),),
        (Timer("sweep_media", SWEEP_EVERY, media.sweep, dispensable=True),),
    )
