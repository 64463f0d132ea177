"""What operators write down about orders."""

from uuid import UUID

from holdfast.domain import ordering
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Note
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows.actors import actor_of


async def add(
    order_id: UUID,
    text: str,
    *,
    db: Database,
    vault: Vault,
    caller: Caller,
    clock: Clock,
) -> Note:
    """Write a note; ``OrderNotFound``."""
    async with db.statement() as tx:
        note = await ordering.add_note(
            tx, vault, order_id, text, actor=actor_of(caller), at=clock()
        )
    if note is None:
        raise ordering.OrderNotFound
    return note
