"""Whose turn it is: of several processes, one does what is due."""

from datetime import datetime

from holdfast.platform import sql
from holdfast.platform.db import Transaction

_CLAIM_TURN = sql.load("holdfast.platform")["claim_turn"]


async def claim(tx: Transaction, name: str, *, now: datetime, due: datetime) -> bool:
    """Take a turn that is due at *now*, making the next one due at *due*."""
    return await tx.fetchrow(_CLAIM_TURN, name, now, due) is not None
