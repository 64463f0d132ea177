"""Products of a catalogue of any size, the same each time.

A product depends on its number and on the names alone: a file that is taken in later
goes on where the shop ends. There are 1 to 12 variants of sizes and colours, 5 on
average; a product stands in one of 240 categories three levels deep.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import msgspec

from holdfast.cli.bench.catalogue.vocabulary import name_of
from holdfast.domain import catalog
from holdfast.domain.catalog import AttributeDraft, Draft, Option, VariantDraft
from holdfast.kernel.money import Money

CURRENCY = "EUR"
VENDORS = 200
TOPS, MIDDLES, LEAVES = 8, 6, 5
SIZES = ("S", "M", "L", "XL")
COLOURS = ("Red", "Blue", "Ivory")
MATERIALS = ("Oak", "Linen", "Steel", "Wool", "Glass", "Cotton", "Copper", "Paper")
ATTRIBUTES = (
    AttributeDraft(
        code="material",
        name="Material",
        type="choice",
        choices=MATERIALS,
        filterable=True,
    ),
    AttributeDraft(
        code="washable", name="Washable", type="boolean", filterable=True, position=1
    ),
    AttributeDraft(code="height_mm", name="Height", type="number", position=2),
)
_TAGS = ("gift", "new", "sale", "kitchen", "garden", "christmas", "vintage", "kids")
_STOCK = 40
_NOTHING_LEFT = 0.15
_REDUCED = 0.3
_TEXT = (
    "<p>{name}, made of {material}. Made to be used every day and mended when it "
    "breaks; with a note on where it is from and how to look after it.</p>"
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category, and the one it stands in."""

    handle: str
    name: str
    parent: str | None


def shelves() -> list[list[Shelf]]:
    """All categories, level by level from the top."""
    levels: list[list[Shelf]] = [[], [], []]
    for top in range(TOPS):
        levels[0].append(Shelf(f"c{top}", f"Department {top}", None))
        for middle in range(MIDDLES):
            name = f"c{top}-{middle}"
            levels[1].append(Shelf(name, f"Aisle {top}.{middle}", f"c{top}"))
            levels[2] += [
                Shelf(f"{name}-{leaf}", f"Shelf {top}.{middle}.{leaf}", name)
                for leaf in range(LEAVES)
            ]
    return levels


def arrivals(
    names: Sequence[str], variants: int, *, first: int = 0
) -> Iterator[catalog.Arrival]:
    """Products from the number *first* on, until there are so many variants."""
    number = first
    while variants > 0:
        arrival = _arrival(number, names, variants)
        variants -= len(arrival.draft.variants)
        number += 1
        yield arrival


def line(arrival: catalog.Arrival) -> bytes:
    """A product as a line of a file."""
    draft = arrival.draft
    told = {
        "handle": draft.handle,
        "title": draft.title,
        "description_html": draft.description_html,
        "vendor": draft.vendor,
        "product_type": draft.product_type,
        "status": draft.status,
        "tags": draft.tags,
        "options": draft.options,
        "categories": draft.categories,
        "attributes": draft.attributes,
        "variants": [_told(v, arrival.on_hand) for v in draft.variants],
    }
    return msgspec.json.encode(told) + b"\n"


def _arrival(number: int, names: Sequence[str], most: int) -> catalog.Arrival:
    dice = random.Random(number)  # noqa: S311 - the same product each time
    name = name_of(number, names)
    material = dice.choice(MATERIALS)
    options = _options(dice, most)
    variants = tuple(_variants(dice, number, options))
    top, middle = dice.randrange(TOPS), dice.randrange(MIDDLES)
    draft = Draft(
        handle=f"{catalog.slugify(name)[:200]}-{number}",
        title=name,
        description_html=_TEXT.format(name=escape(name), material=material),
        # Some sell much, most little.
        vendor=f"Maker {int(VENDORS * dice.random() ** 2)}",
        product_type=name.split()[-1],
        status="active",
        tags=tuple(dice.sample(_TAGS, dice.randrange(4))),
        options=options,
        categories=(f"c{top}-{middle}-{dice.randrange(LEAVES)}",),
        attributes={
            "material": material,
            "washable": dice.random() < 0.5,  # noqa: PLR2004 - a coin
            "height_mm": dice.randrange(10, 2_000),
        },
        variants=variants,
    )
    on_hand = {
        v.sku: 0 if dice.random() < _NOTHING_LEFT else dice.randrange(1, _STOCK)
        for v in variants
    }
    return catalog.Arrival(draft, (), on_hand)


def _options(dice: random.Random, most: int) -> tuple[Option, ...]:
    """What there is to choose of a product; no more than so many variants."""
    sizes, colours = dice.randint(1, len(SIZES)), dice.randint(1, len(COLOURS))
    if sizes * colours > most:
        sizes, colours = 1, 1
    found = []
    if sizes > 1:
        found.append(Option("Size", SIZES[:sizes]))
    if colours > 1:
        found.append(Option("Colour", COLOURS[:colours]))
    return tuple(found)


def _variants(
    dice: random.Random, number: int, options: Sequence[Option]
) -> Iterator[VariantDraft]:
    choices: list[dict[str, str]] = [{}]
    for option in options:
        choices = [{**c, option.name: v} for c in choices for v in option.values]
    price = dice.randrange(95, 20_000)
    for place, chosen in enumerate(choices):
        amount = price + 50 * place
        reduced = dice.random() < _REDUCED
        yield VariantDraft(
            sku="-".join([f"B{number}", *chosen.values()]),
            price=Money(amount, CURRENCY),
            options=chosen,
            compare_at_price=Money(amount * 5 // 4, CURRENCY) if reduced else None,
            weight_grams=dice.randrange(50, 5_000),
            barcode=f"{number:09d}{place:03d}",
        )


def _told(variant: VariantDraft, on_hand: Mapping[str, int]) -> dict[str, object]:
    told: dict[str, object] = {
        "sku": variant.sku,
        "price": _money(variant.price),
        "options": variant.options,
        "weight_grams": variant.weight_grams,
        "barcode": variant.barcode,
        "on_hand": on_hand[variant.sku],
    }
    if variant.compare_at_price is not None:
        told["compare_at_price"] = _money(variant.compare_at_price)
    return told


def _money(money: Money) -> dict[str, object]:
    return {"amount": money.amount, "currency": money.currency}
