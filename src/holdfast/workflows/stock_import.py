"""Take a file of levels: all of it, or nothing and what is wrong with each line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from holdfast.domain import inventory
from holdfast.domain.inventory import (
    Faults,
    Level,
    LevelRow,
    LevelSettings,
    Location,
    Move,
    StockBelowReserved,
)
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file changed."""

    rows: int
    changed: int
    """How many levels are another number now."""


async def import_levels(
    db: Database, content: bytes, *, reason: str, actor: str, clock: Clock
) -> Imported:
    """Set levels from a file (``inventory.read_levels``); ``LevelsRefused``.

    A file is one transaction: others see all of it or nothing. A level that the file
    does not name stays as it is, and so does a setting whose cell is empty.
    """
    rows = inventory.read_levels(content)
    now = clock()
    async with db.transaction() as tx:
        places = await _places(tx, rows)
        levels = await inventory.lock_shelves(tx, places, at=now)
        pairs = [(row, levels[place]) for row, place in zip(rows, places, strict=True)]
        faults = Faults()
        for row, level in pairs:
            wanted = _settings(row, level)
            if row.on_hand + wanted.backorder_limit < level.reserved:
                faults.add(row.line, f"{level.reserved} of {row.sku} are promised")
        faults.finish()
        settings = [
            (level, wanted)
            for row, level in pairs
            if (wanted := _settings(row, level)) != _now(level)
        ]
        moves = [
            Move(
                level.variant_id,
                level.location_id,
                row.on_hand - level.on_hand,
                "adjustment",
                reason,
            )
            for row, level in pairs
        ]
        # What raises a limit before what needs it, and what lowers one after it.
        raised = [n for n in settings if n[1].backorder_limit > n[0].backorder_limit]
        await inventory.change_levels(tx, raised, at=now)
        await inventory.move(tx, moves, actor=actor, reference="import", at=now)
        await _change_the_others(tx, settings, places, now=clock)
    changed = sum(move.delta != 0 for move in moves)
    return Imported(len(rows), changed)


async def _change_the_others(
    tx: Transaction,
    settings: Sequence[tuple[Level, LevelSettings]],
    places: Sequence[tuple[UUID, UUID]],
    *,
    now: Clock,
) -> None:
    if not settings:
        return
    after = await inventory.lock_shelves(tx, places, at=now())
    try:
        await inventory.change_levels(
            tx,
            [(after[n.variant_id, n.location_id], wanted) for n, wanted in settings],
            at=now(),
        )
    except StockBelowReserved as error:
        raise AssertionError("every line was checked") from error


async def _places(tx: Transaction, rows: Sequence[LevelRow]) -> list[tuple[UUID, UUID]]:
    faults = Faults()
    locations: Mapping[str, Location] = {
        place.code: place for place in await inventory.locations(tx)
    }
    main = next(n for n in locations.values() if n.id == inventory.MAIN)
    variants = await inventory.known_variants(tx, [row.sku for row in rows])
    places: dict[tuple[UUID, UUID], int] = {}
    for row in rows:
        place = main if row.location is None else locations.get(row.location)
        variant = variants.get(row.sku)
        if variant is None:
            faults.add(row.line, f"no variant has the SKU {row.sku[:64]}")
        elif place is None:
            faults.add(row.line, f"there is no location {str(row.location)[:64]}")
        elif (earlier := places.setdefault((variant, place.id), row.line)) != row.line:
            faults.add(row.line, f"the same level as line {earlier}")
    faults.finish()
    return list(places)


def _settings(row: LevelRow, level: Level) -> LevelSettings:
    here = _now(level)
    return LevelSettings(
        here.safety_stock if row.safety_stock is None else row.safety_stock,
        here.backorder_limit if row.backorder_limit is None else row.backorder_limit,
        here.low_stock_threshold
        if row.low_stock_threshold is None
        else row.low_stock_threshold,
    )


def _now(level: Level) -> LevelSettings:
    return LevelSettings(
        level.safety_stock, level.backorder_limit, level.low_stock_threshold
    )
