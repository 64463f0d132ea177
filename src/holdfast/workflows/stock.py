"""What operators do with levels: set them, change them by lines, say what is few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from holdfast.domain import inventory
from holdfast.domain.inventory import (
    MAIN,
    Changed,
    Level,
    LevelSettings,
    Location,
    Move,
    StockChanged,
    StockLineRepeated,
)
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction

AdjustmentKind: TypeAlias = Literal["adjustment", "receipt"]


@dataclass(frozen=True, slots=True)
class AdjustmentLine:
    """One level to change: by *delta*, or to *on_hand*."""

    sku: str
    location: str
    delta: int | None = None
    on_hand: int | None = None
    expected_on_hand: int | None = None
    """What whoever decided this thought the level was; None if they do not mind."""


@dataclass(frozen=True, slots=True)
class Why:
    """What the ledger says of a change besides the numbers."""

    kind: AdjustmentKind
    reason: str
    reference: str
    actor: str


async def set_level(
    db: Database,
    sku: str,
    on_hand: int,
    *,
    reason: str,
    actor: str,
    clock: Clock,
    location_id: UUID = MAIN,
) -> Level:
    """Set how many units of a SKU are on hand."""
    (level,) = await set_levels(
        db,
        {sku: on_hand},
        reason=reason,
        actor=actor,
        clock=clock,
        location_id=location_id,
    )
    return level


async def set_levels(
    db: Database,
    on_hand_by_sku: Mapping[str, int],
    *,
    reason: str,
    actor: str,
    clock: Clock,
    location_id: UUID = MAIN,
) -> list[Level]:
    """Set several levels at once: all, or none when one cannot be set."""
    async with db.transaction() as tx:
        return await inventory.set_levels(
            tx,
            on_hand_by_sku,
            reason=reason,
            actor=actor,
            at=clock(),
            location_id=location_id,
        )


async def change_settings(
    db: Database,
    sku: str,
    location: str,
    changes: Mapping[str, Any],
    *,
    clock: Clock,
) -> Level:
    """Change settings of a SKU at a location; what *changes* does not name stays.

    Raises ``UnknownStock``, ``LocationNotFound``, or ``StockBelowReserved`` when more
    is promised than the new limit allows.
    """
    now = clock()
    async with db.transaction() as tx:
        place = await inventory.find_location(tx, location)
        variants = await inventory.variants_of(tx, [sku])
        shelf = (variants[sku], place.id)
        level = (await inventory.lock_shelves(tx, [shelf], at=now))[shelf]
        settings = LevelSettings(
            level.safety_stock, level.backorder_limit, level.low_stock_threshold
        )
        wanted = replace(settings, **changes)
        await inventory.change_levels(tx, [(level, wanted)], at=now)
        return await inventory.find(tx, sku, location_id=place.id)


async def adjust(
    tx: Transaction, lines: Sequence[AdjustmentLine], why: Why, *, at: datetime
) -> list[Level]:
    """Change many levels at once: all, or none when one cannot be changed.

    Returns the levels as they are afterwards, in the order of the lines. Raises
    ``UnknownStock`` and ``LocationNotFound``, ``StockLineRepeated``, ``StockChanged``
    naming each level that is not what it was expected to be, ``StockBelowReserved``
    or ``StockLevelOutOfRange``.
    """
    places = await _places(tx, lines)
    levels = await inventory.lock_shelves(tx, places, at=at)
    pairs = [(line, levels[place]) for line, place in zip(lines, places, strict=True)]
    changed = [
        Changed(line.sku, line.location, line.expected_on_hand, level.on_hand)
        for line, level in pairs
        if line.expected_on_hand is not None and line.expected_on_hand != level.on_hand
    ]
    if changed:
        raise StockChanged(changed)
    moves = []
    for line, level in pairs:
        delta = (line.delta or 0) if line.on_hand is None else 0
        if line.on_hand is not None:
            delta = line.on_hand - level.on_hand
        inventory.check_room(level, delta)
        moves.append(
            Move(level.variant_id, level.location_id, delta, why.kind, why.reason)
        )
    await inventory.move(tx, moves, actor=why.actor, reference=why.reference, at=at)
    after = await inventory.lock_shelves(tx, places, at=at)
    return [after[place] for place in places]


async def _places(
    tx: Transaction, lines: Sequence[AdjustmentLine]
) -> list[tuple[UUID, UUID]]:
    variants = await inventory.variants_of(tx, [line.sku for line in lines])
    locations = await locations_by_code(tx, {line.location for line in lines})
    places: dict[tuple[UUID, UUID], None] = {}
    for line in lines:
        place = (variants[line.sku], locations[line.location].id)
        if place in places:
            raise StockLineRepeated(line.sku, line.location)
        places[place] = None
    return list(places)


async def locations_by_code(
    tx: Transaction, codes: frozenset[str] | set[str]
) -> dict[str, Location]:
    """The locations of these codes; ``LocationNotFound`` for the first without one."""
    found = {place.code: place for place in await inventory.locations(tx)}
    for code in sorted(codes):
        if code not in found:
            raise inventory.LocationNotFound(code)
    return found
