"""What operators do with stock."""

from collections.abc import Mapping

from holdfast.domain import inventory
from holdfast.domain.inventory import Level
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database


async def set_level(
    db: Database, sku: str, on_hand: int, *, reason: str, actor: str, clock: Clock
) -> Level:
    """Set how many units of a SKU are on hand."""
    (level,) = await set_levels(
        db, {sku: on_hand}, reason=reason, actor=actor, clock=clock
    )
    return level


async def set_levels(
    db: Database,
    on_hand_by_sku: Mapping[str, int],
    *,
    reason: str,
    actor: str,
    clock: Clock,
) -> list[Level]:
    """Set several levels at once: all, or none when one cannot be set."""
    async with db.transaction() as tx:
        return await inventory.set_levels(
            tx, on_hand_by_sku, reason=reason, actor=actor, at=clock()
        )
