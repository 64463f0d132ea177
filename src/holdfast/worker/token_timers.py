"""What access tokens and their keys need from time to time."""

from datetime import timedelta

import structlog

from holdfast.domain import oauth
from holdfast.worker.handlers import Reach
from holdfast.worker.schedule import TIDY_AT_ONCE, TIDY_EVERY, Timer
from holdfast.workflows import signing_keys

ROTATION_LOOKED_AT_EVERY = timedelta(hours=1)
_log = structlog.get_logger()


def token_timers(reach: Reach) -> tuple[Timer, ...]:
    """The timers of access tokens."""

    async def rotate_signing_keys() -> None:
        made = await signing_keys.rotate_if_due(reach.db, reach.vault, reach.clock)
        if made is not None:
            _log.info("signing_key_rotated", key=made)

    async def forget_revoked_tokens() -> None:
        forgotten = TIDY_AT_ONCE
        while forgotten == TIDY_AT_ONCE:
            async with reach.db.transaction() as tx:
                forgotten = await oauth.forget_revoked_tokens(
                    tx, now=reach.clock(), limit=TIDY_AT_ONCE
                )

    return (
        Timer("rotate_signing_keys", ROTATION_LOOKED_AT_EVERY, rotate_signing_keys),
        Timer("forget_revoked_tokens", TIDY_EVERY, forget_revoked_tokens),
    )
