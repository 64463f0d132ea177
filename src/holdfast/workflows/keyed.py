"""Requests with an idempotency key whose whole effect is in the database.

The claim of the key, the effect and the answer are one commit: a process that dies
leaves all of it or nothing, and nobody ever has to finish the work of another.
"""

from collections.abc import Awaitable, Callable

from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform import idempotency
from holdfast.platform.db import Database, Transaction
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.vault import Vault


async def once(
    db: Database,
    vault: Vault,
    claim: Claim,
    work: Callable[[Transaction], Awaitable[Answer]],
    *,
    clock: Clock,
) -> tuple[Answer, bool]:
    """Do the work once for its key; returns the answer and whether it is a replay.

    What *work* raises undoes the claim too: the key may be used again.
    """
    while True:
        async with db.transaction() as tx:
            if await idempotency.claim(tx, claim, subject=new_id(), at=clock()):
                answer = await work(tx)
                await idempotency.answer(tx, vault, claim, answer, at=clock())
                return answer, False
        progress = await idempotency.wait(db, vault, claim, clock=clock)
        if isinstance(progress, Answer):
            return progress, True
