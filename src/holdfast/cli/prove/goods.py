"""What the fresh shop sells, and what watches every commit of its stock.

Two triggers of this shop alone write down each change of a level and of a reservation,
in the transaction that makes it. A level is changed under the lock of its row, so the
order in which the lines of one level were written is the order of its commits.
"""

from dataclasses import dataclass

from holdfast.domain.catalog import Arrival, Draft, VariantDraft
from holdfast.kernel.clock import system_clock
from holdfast.kernel.money import Money
from holdfast.platform.db import Database
from holdfast.workflows import catalog as workflows

HOT = "HOT-1"
CURRENCY = "EUR"
_MANY = 100_000
_WATCH = """
CREATE SCHEMA prove;
CREATE TABLE prove.changes (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    tx bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    variant_id uuid NOT NULL, location_id uuid NOT NULL,
    -- Of a reservation: by how much its quantity changed. Of a level: NULL.
    promised bigint,
    before bigint, reserved bigint, on_hand bigint);
CREATE FUNCTION prove.note_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO prove.changes (variant_id, location_id, before, reserved, on_hand)
    VALUES (NEW.variant_id, NEW.location_id,
            CASE WHEN TG_OP = 'UPDATE' THEN OLD.reserved ELSE 0 END,
            NEW.reserved, NEW.on_hand + NEW.backorder_limit);
    RETURN NULL;
END $$;
CREATE FUNCTION prove.note_reservation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO prove.changes (variant_id, location_id, promised)
        VALUES (OLD.variant_id, OLD.location_id, -OLD.quantity);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO prove.changes (variant_id, location_id, promised)
        VALUES (NEW.variant_id, NEW.location_id, NEW.quantity);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER prove_level AFTER INSERT OR UPDATE ON stock
    FOR EACH ROW EXECUTE FUNCTION prove.note_level();
CREATE TRIGGER prove_reservation AFTER INSERT OR UPDATE OR DELETE ON reservations
    FOR EACH ROW EXECUTE FUNCTION prove.note_reservation();
"""


@dataclass(frozen=True, slots=True)
class Goods:
    """What is on sale: the few that everybody wants, and many."""

    units: dict[str, int]
    """Of each SKU of the sale."""
    plenty: list[str]
    """SKUs of which there is enough for all."""

    @property
    def warm(self) -> list[str]:
        return [sku for sku in self.units if sku != HOT]


def goods(units: int, *, warm: int = 5, plenty: int = 40) -> Goods:
    """Half of the units are of the hot SKU, the others are spread."""
    each = units // (2 * warm)
    of_warm = {f"WARM-{n}": each for n in range(1, warm + 1)}
    hot = units - each * warm
    return Goods({HOT: hot, **of_warm}, [f"MANY-{n}" for n in range(1, plenty + 1)])


async def stock_up(db: Database, wanted: Goods) -> None:
    """Fill the shop, and begin to watch it."""
    async with db.statement() as tx:
        await tx.execute(_WATCH)
    on_hand = {**wanted.units, **dict.fromkeys(wanted.plenty, _MANY)}
    arrivals = [
        Arrival(
            Draft(
                handle=sku.lower(),
                title=f"Article {sku}",
                status="active",
                variants=(
                    VariantDraft(sku=sku, price=Money(price, CURRENCY), options={}),
                ),
            ),
            (),
            {sku: units},
        )
        for price, (sku, units) in enumerate(on_hand.items(), start=995)
    ]
    await workflows.import_products(db, arrivals, clock=system_clock, actor="prove")
