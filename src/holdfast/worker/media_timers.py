"""What the worker does with pictures: draw those that wait, and sweep up."""

from dataclasses import dataclass
from datetime import timedelta

from holdfast.domain.media import Studio
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


def _media(reach: Reach) -> _Media | None:
    if reach.storage is None:
        return None
    return _Media(Darkroom(reach.db, reach.storage, Studio(), reach.clock))


def drawing(reach: Reach) -> tuple[Recurring, ...]:
    """The activity that draws, one picture after the other, where there are any."""
    media = _media(reach)
    return () if media is None else (Recurring("draw_media", media.draw),)


def media_timers(reach: Reach) -> tuple[Timer, ...]:
    """The timers of pictures."""
    media = _media(reach)
    return () if media is None else (Timer("sweep_media", SWEEP_EVERY, media.sweep),)
