"""The shop that is measured: 2,000 products of two variants in 50 categories.

The dataset the peers were measured with. Names are put together from words, so that
searches find much, little and nothing; everything is the same in each run.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.domain import catalog
from holdfast.domain.catalog import Draft, NewCategory, Option, VariantDraft
from holdfast.kernel.clock import system_clock
from holdfast.kernel.money import Money
from holdfast.platform.db import Database
from holdfast.workflows import catalog as workflows

PRODUCTS = 2_000
CATEGORIES = 50
STOCK = 1_000_000
HOT_UNITS = 500
HOT_SKU = "HOT-1"
CURRENCY = "EUR"
_BATCH = 200
_FILLED = (
    *("products", "variants", "categories", "product_categories"),
    *("stock", "stock_movements"),
)
_HOW = ("Light", "Heavy", "Small", "Large", "Folding", "Plain", "Classic", "Quiet")
_OF = ("Oak", "Linen", "Steel", "Wool", "Glass", "Cotton", "Copper", "Leather", "Cork")
_WHAT = (
    *("Chair", "Table", "Lamp", "Shelf", "Blanket", "Bottle", "Bowl", "Basket", "Jar"),
    *("Kettle", "Mirror", "Clock", "Bag", "Apron", "Cushion", "Vase", "Tray", "Hook"),
)
_TEXT = (
    "<p>Made to be used every day and mended when it breaks. Comes with a note on "
    "where its material is from and how to look after it.</p>"
)
SEARCHES = (
    *("lamp", "oak table", "wool blanket", "steel bottle", "glass", "quiet clock"),
    *("leather bag", "cork", "folding chair", "copper ket", "linen apron", "mirror"),
    *("classic oak shelf", "cotton cushions", "plain bowl", "heavy", "tray", "vases"),
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the load generator must know of the shop."""

    handles: Sequence[str]
    skus: Sequence[str]
    categories: Sequence[str]


def dataset() -> Dataset:
    """Names of what ``load`` puts into a shop."""
    return Dataset(
        [_handle(n) for n in range(PRODUCTS)],
        [f"SKU-{n}-{size}" for n in range(PRODUCTS) for size in "SL"],
        [_category(n).handle for n in range(CATEGORIES)],
    )


async def load(db: Database) -> None:
    """Fill an empty shop, with one product of which there are only 500 units."""
    arrivals = [*_arrivals(), _hot()]
    for start in range(0, len(arrivals), _BATCH):
        batch = arrivals[start : start + _BATCH]
        await workflows.import_products(db, batch, clock=system_clock, actor="bench")
    # What autovacuum would come round to in a minute. Tables that are empty are left
    # alone, as it would: told that they are, the planner would scan them for ever.
    async with db.statement() as connection:
        await connection.execute(f"VACUUM ANALYZE {', '.join(_FILLED)}")


def _arrivals() -> Iterator[catalog.Arrival]:
    dice = random.Random(1)  # noqa: S311 - the same shop each time
    for number in range(PRODUCTS):
        words = dice.choice(_HOW), dice.choice(_OF), dice.choice(_WHAT)
        category = _category(number % CATEGORIES)
        price = dice.randrange(500, 20_000)
        draft = Draft(
            handle=_handle(number),
            title=f"{' '.join(words)} {number}",
            description_html=_TEXT,
            vendor=f"Maker {number % 40}",
            product_type=words[2],
            status="active",
            tags=(words[1].lower(), words[2].lower()),
            options=(Option("Size", ("S", "L")),),
            categories=(category.handle,),
            variants=tuple(
                VariantDraft(
                    sku=f"SKU-{number}-{size}",
                    price=Money(price + extra, CURRENCY),
                    options={"Size": size},
                    weight_grams=100 + number % 400,
                )
                for size, extra in (("S", 0), ("L", 300))
            ),
        )
        on_hand = {variant.sku: STOCK for variant in draft.variants}
        yield catalog.Arrival(draft, (category,), on_hand)


def _hot() -> catalog.Arrival:
    price = Money(9_900, CURRENCY)
    draft = Draft(
        handle="hot",
        title="The one everybody wants",
        status="active",
        variants=(VariantDraft(sku=HOT_SKU, price=price, options={}),),
    )
    return catalog.Arrival(draft, (), {HOT_SKU: HOT_UNITS})


def _handle(number: int) -> str:
    return f"product-{number}"


def _category(number: int) -> NewCategory:
    return NewCategory(f"category-{number}", f"Category {number}", number)
