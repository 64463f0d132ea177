"""What the catalogue needs from time to time."""

from datetime import timedelta

import structlog

from holdfast.worker.handlers import Reach
from holdfast.worker.schedule import Timer
from holdfast.workflows.catalog import TURN_AT_ONCE, turn_due

# Readers see a product go on sale at its second without anybody's doing; this writes
# it down, for the history and for whoever looks at the tables.
TURN_EVERY = timedelta(seconds=5)
_log = structlog.get_logger()


def catalog_timers(reach: Reach) -> tuple[Timer, ...]:
    """The timers of the catalogue."""

    async def turn_products() -> None:
        turned = TURN_AT_ONCE
        while turned == TURN_AT_ONCE:
            turned = await turn_due(reach.db, clock=reach.clock)
            if turned:
                _log.info("products_turned", count=turned)

    return (Timer("turn_products", TURN_EVERY, turn_products),)
