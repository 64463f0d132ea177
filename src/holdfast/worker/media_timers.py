"""What pictures need from time to time."""

from dataclasses import dataclass
from datetime import timedelta

from holdfast.worker.handlers import Reach, darkroom
from holdfast.worker.schedule import Timer
from holdfast.workflows.media import SWEEP_AT_ONCE

SWEEP_EVERY = timedelta(seconds=15)


@dataclass(frozen=True)
class _Media:
    """What each timer does."""

    reach: Reach

    async def sweep(self) -> None:
        room = darkroom(self.reach)
        swept = SWEEP_AT_ONCE
        while room is not None and swept == SWEEP_AT_ONCE:
            swept = await room.sweep()


def media_timers(reach: Reach) -> tuple[Timer, ...]:
    """The timers of pictures."""
    return (Timer("sweep_media", SWEEP_EVERY, _Media(reach).sweep),)
