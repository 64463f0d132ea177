"""Many levels at once: corrections, deliveries, and files of levels."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request

from holdfast.api import decoding
from holdfast.api.inventory import LevelAt, LocationCode, Units
from holdfast.api.problems import UnsupportedMediaType
from holdfast.api.shapes import Sku, invalid
from holdfast.api.shop import Shop
from holdfast.domain import inventory
from holdfast.domain.identity import Caller
from holdfast.workflows import stock as workflows
from holdfast.workflows.stock import AdjustmentLine, Why
from holdfast.workflows.stock_import import Imported, import_levels

MAX_LINES = 1_000
_CSV = "text/csv"

Delta = Annotated[int, msgspec.Meta(ge=-inventory.MAX_LEVEL, le=inventory.MAX_LEVEL)]
Reference = Annotated[
    str,
    msgspec.Meta(max_length=255, description="Such as the number of a delivery note."),
]
Reason = Literal[
    "correction",
    "damaged",
    "expired",
    "lost",
    "stolen",
    "found",
    "received",
    "returned_to_supplier",
    "used",
    "other",
]


class AdjustmentWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One level to change: by `delta`, or to `on_hand`."""

    sku: Sku
    location: LocationCode = "main"
    delta: Delta | None = None
    on_hand: Units | None = None
    expected_on_hand: Units | None = None


class AdjustmentsWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Levels to change, and why; all of them change or none."""

    lines: Annotated[
        list[AdjustmentWanted], msgspec.Meta(min_length=1, max_length=MAX_LINES)
    ]
    reason: Reason
    kind: workflows.AdjustmentKind = "adjustment"
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""
    reference: Reference = ""

    def asked(self) -> list[AdjustmentLine]:
        """The lines, each of which says one thing."""
        for number, line in enumerate(self.lines):
            if (line.delta is None) == (line.on_hand is None):
                raise invalid(f"/lines/{number}", "Say either delta or on_hand")
            if line.delta == 0:
                raise invalid(f"/lines/{number}/delta", "Changes nothing")
            if self.kind == "receipt" and (line.delta or 0) <= 0:
                raise invalid(
                    f"/lines/{number}", "A receipt adds units: say a delta above 0"
                )
        return [
            AdjustmentLine(n.sku, n.location, n.delta, n.on_hand, n.expected_on_hand)
            for n in self.lines
        ]


class Adjusted(msgspec.Struct, frozen=True):
    """The levels as they are now, in the order of the lines."""

    levels: list[LevelAt]


async def create(shop: Shop, caller: Caller, data: AdjustmentsWanted) -> Adjusted:
    """Change many levels, all or none: corrections, or a delivery (`receipt`).

    With `expected_on_hand` a line is carried out only if the level is still that.
    """
    lines = data.asked()
    said = f"{data.reason}: {data.note}" if data.note else data.reason
    why = Why(data.kind, said, data.reference, caller.actor)
    async with shop.db.transaction() as tx:
        levels = await workflows.adjust(tx, lines, why, at=shop.clock())
    return Adjusted([LevelAt.of(level) for level in levels])


async def take_file(
    shop: Shop, caller: Caller, request: Request[Any, Any, Any]
) -> Imported:
    """Set levels from a CSV file, all lines or none.

    Columns: `sku` and `on_hand`; if you like `location`, `safety_stock`,
    `backorder_limit` and `low_stock_threshold`.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != _CSV:
        raise UnsupportedMediaType(_CSV)
    content = await decoding.read_all(request.receive)  # type: ignore[arg-type]
    return await import_levels(
        shop.db,
        content,
        reason="correction: file",
        actor=caller.actor,
        clock=shop.clock,
    )
