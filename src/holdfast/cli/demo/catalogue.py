"""The demo catalogue as products: what ``catalogue.toml`` tells, worked out.

SKUs, stock and pictures follow from the file alone, so that two seeded shops are
the same and a second seeding finds nothing to do.
"""

import itertools
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from holdfast.cli.demo.pictures import SIDE, Recipe
from holdfast.domain import catalog
from holdfast.kernel import money

FOLDER = "demo"
"""Under ``images`` in the shop's home."""

_SOLD_OUT_EVERY = 29
_SCARCE_EVERY = 11


@dataclass(frozen=True, slots=True)
class Item:
    """A product of the demo, and its picture."""

    arrival: catalog.Arrival
    picture: Recipe


def items(currency: str) -> Iterator[Item]:
    """Every product of the demo, priced in *currency*."""
    text = resources.files("holdfast.cli.demo").joinpath("catalogue.toml").read_text()
    for position, shelf in enumerate(tomllib.loads(text)["category"], 1):
        category = catalog.NewCategory(
            catalog.slugify(shelf["name"]), shelf["name"], position
        )
        for number, told in enumerate(shelf["products"], 1):
            base = f"{shelf['code']}-{number:02}"
            yield _item(told, shelf, category, base, currency)


def _item(
    told: dict[str, Any],
    shelf: dict[str, Any],
    category: catalog.NewCategory,
    base: str,
    currency: str,
) -> Item:
    handle = catalog.slugify(told["title"])
    ground, main, second = shelf["colours"]
    picture = Recipe(handle, told["title"], shelf["motif"], (ground, main, second))
    variants = tuple(_variants(told, base, currency))
    draft = catalog.Draft(
        handle=handle,
        title=told["title"],
        variants=variants,
        description_html=f"<p>{told['text']}</p>",
        vendor=shelf["vendor"],
        product_type=shelf["name"],
        status="active",
        tags=tuple(told["tags"]),
        options=tuple(
            catalog.Option(name, tuple(values))
            for name, values in told.get("choose", {}).items()
        ),
        images=(
            catalog.Image(
                f"/images/{FOLDER}/{picture.name}", told["title"], SIDE, SIDE
            ),
        ),
        categories=(category.handle,),
    )
    on_hand = {variant.sku: _units(variant.sku) for variant in variants}
    return Item(catalog.Arrival(draft, (category,), on_hand), picture)


def _variants(
    told: dict[str, Any], base: str, currency: str
) -> Iterator[catalog.VariantDraft]:
    choose: dict[str, list[str]] = told.get("choose", {})
    prices, grams = told["prices"], told["grams"]
    for chosen in itertools.product(*choose.values()):
        first = next(iter(choose.values())).index(chosen[0]) if chosen else 0
        code = "".join(catalog.slugify(value).replace("-", "") for value in chosen[:1])
        rest = [catalog.slugify(value) for value in chosen[1:]]
        sku = "-".join(part for part in (base, code, *rest) if part).upper()
        yield catalog.VariantDraft(
            sku=sku,
            price=money.parse(prices[first % len(prices)], currency),
            options=dict(zip(choose, chosen, strict=True)),
            weight_grams=grams[first % len(grams)],
        )


def _units(sku: str) -> int:
    """Between none and a hundred or so, always the same for the same SKU."""
    dice = zlib.crc32(sku.encode())
    if dice % _SOLD_OUT_EVERY == 0:
        return 0
    if dice % _SCARCE_EVERY == 0:
        return 1 + dice % 3
    return 12 + dice % 100
