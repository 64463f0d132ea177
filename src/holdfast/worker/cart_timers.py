"""What carts need from time to time."""

from datetime import timedelta

import structlog

from holdfast.worker.handlers import Reach
from holdfast.worker.schedule import Timer
from holdfast.workflows.cart_expiry import expire_idle

EXPIRE_CARTS_EVERY = timedelta(minutes=10)
_log = structlog.get_logger()


def cart_timers(reach: Reach) -> tuple[Timer, ...]:
    """The timers of carts."""

    async def expire_carts() -> None:
        idle = timedelta(days=reach.cart_days)
        expired = await expire_idle(reach.db, idle=idle, clock=reach.clock)
        if expired:
            _log.info("carts_expired", count=expired)

    return (Timer("expire_carts", EXPIRE_CARTS_EVERY, expire_carts),)
