"""What the catalogue needs from time to time."""

from datetime import timedelta

import structlog

from holdfast.worker.handlers import Reach
from holdfast.worker.schedule import Timer
from holdfast.workflows import showing
from holdfast.workflows.catalog import TURN_AT_ONCE, turn_due

# Readers see a product go on sale at its second without anybody's doing; this writes
# it down, for the history and for whoever looks at the tables.
TURN_EVERY = timedelta(seconds=5)
# After an upgrade: 200,000 products in five minutes, with half of one core.
RENEW_EVERY = timedelta(seconds=10)
RENEW_STEPS = 40
# A new word is counted within a minute, and each once a day.
COUNT_EVERY = timedelta(minutes=1)
COUNTED_FOR = timedelta(days=1)
_log = structlog.get_logger()


def catalog_timers(reach: Reach) -> tuple[Timer, ...]:
    """The timers of the catalogue."""

    async def turn_products() -> None:
        turned = TURN_AT_ONCE
        while turned == TURN_AT_ONCE:
            turned = await turn_due(reach.db, clock=reach.clock)
            if turned:
                _log.info("products_turned", count=turned)

    async def renew_products() -> None:
        renewed = 0
        for _ in range(RENEW_STEPS):
            step = await showing.renew(reach.db)
            renewed += step
            if step < showing.REBUILT_AT_ONCE:
                break
        if renewed:
            _log.info("products_renewed", count=renewed)

    async def count_words() -> None:
        await showing.count_words(
            reach.db, before=reach.clock() - COUNTED_FOR, clock=reach.clock
        )

    return (
        Timer("turn_products", TURN_EVERY, turn_products),
        Timer("renew_products", RENEW_EVERY, renew_products),
        Timer("count_words", COUNT_EVERY, count_words),
    )
