"""One transaction that a client may ask for again, and get the same answer.

For work that has all its effects in the database: the key, the work and its answer
are one commit, so that of many requests with a key one does it, whatever happens.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from uuid import UUID

from holdfast.kernel.clock import Clock
from holdfast.platform import idempotency
from holdfast.platform.db import Database, Transaction
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.vault import Vault

Work: TypeAlias = Callable[[Transaction], Awaitable[Answer]]


async def once(
    claim: Claim,
    work: Work,
    *,
    subject: UUID,
    db: Database,
    vault: Vault,
    clock: Clock,
) -> tuple[Answer, bool]:
    """Do *work* unless it was done; returns the answer and whether it is a replay.

    What *work* raises undoes everything, and the key may be used again. It is run again
    when the server undid it for the sake of another (``Database.attempt``).
    """

    async def claimed(tx: Transaction) -> Answer | None:
        if not await idempotency.claim(tx, claim, subject=subject, at=clock()):
            return None
        answer = await work(tx)
        await idempotency.answer(tx, vault, claim, answer, at=clock())
        return answer

    while True:
        answer = await db.attempt(claimed)
        if answer is not None:
            return answer, False
        # Whoever had it has committed by now, or given it back.
        told = await idempotency.find(db, vault, claim)
        if told is not None:
            return told, True
