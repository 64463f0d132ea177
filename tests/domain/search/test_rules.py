"""Who belongs by a rule is who a plain filter over all products says."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from holdfast.domain import catalog, search
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows import stock
from holdfast.workflows.catalog import create_product

TAGS, VENDORS, SIZES = ("new", "sale", "gift"), ("Acme", "Bolt, Inc."), ("S", "M")
WORDS = ("red", "tea", "pot", "Crème", "3", "10")
WOODS, DEPTHS = ("oak", 'be"ech\\'), (1, 2.5, 40)
DAYS = ("2026-01-31", "2026-06-01")
SHELVES = {"drinks": None, "tea": "drinks", "green": "tea", "cups": None}


def rule(*conditions: Mapping[str, Any], match: str = "all") -> search.Rule:
    return search.read_rule({"match": match, "conditions": list(conditions)})


@dataclass(frozen=True)
class Sold:
    """A product as the model sees it."""

    title: tuple[str, ...]
    tags: tuple[str, ...]
    vendor: str
    kind: str
    size: str
    shelves: tuple[str, ...]
    prices: tuple[int, ...]
    currency: str
    reduced: bool
    on_hand: int
    attributes: Mapping[str, Any]
    at: datetime


def drawn(dice: random.Random, at: datetime) -> Sold:
    currency = dice.choice(("EUR", "EUR", "USD"))
    said = {
        "wood": dice.choice(WOODS),
        "depth": dice.choice(DEPTHS),
        "spare": dice.choice((True, False)),
        "made": dice.choice(DAYS),
    }
    return Sold(
        title=tuple(dice.choices(WORDS, k=dice.randint(1, 4))),
        tags=tuple(dice.sample(TAGS, dice.randint(0, 2))),
        vendor=dice.choice(VENDORS),
        kind=dice.choice(("", "Mug")),
        size=dice.choice(SIZES),
        shelves=tuple(dice.sample(list(SHELVES), dice.randint(0, 2))),
        prices=(dice.choice((100, 200)), dice.choice((300, 900))),
        currency=currency,
        reduced=dice.random() < 0.3,
        on_hand=dice.choice((0, 0, 5)),
        attributes={k: v for k, v in said.items() if dice.random() < 0.7},
        at=at,
    )


def on_shelf(sold: Sold, names: set[str]) -> bool:
    for shelf in sold.shelves:
        above: str | None = shelf
        while above is not None:
            if above in names:
                return True
            above = SHELVES[above]
    return False


def within(words: tuple[str, ...], title: tuple[str, ...]) -> bool:
    words = tuple(w.lower().replace("è", "e") for w in words)
    folded = [w.lower().replace("è", "e") for w in title]
    return any(
        tuple(folded[n : n + len(words)]) == words for n in range(len(folded) + 1)
    )


def drawn_condition(
    dice: random.Random, shelves: Mapping[str, UUID], now: datetime
) -> tuple[dict[str, Any], Any]:
    """A condition, and what it means, in plain Python."""
    some = set(dice.sample(TAGS, dice.randint(1, 2)))
    names = set(dice.sample(list(SHELVES), dice.randint(1, 2)))
    words = tuple(dice.choices(WORDS, k=dice.randint(1, 2)))
    wood, depth, day = dice.choice(WOODS), dice.choice(DEPTHS), dice.choice(DAYS)
    low = dice.choice((0, 100, 250, 300))
    high = dice.choice((200, 299, 300, 5000))
    days, vendor, size = dice.randint(1, 4), dice.choice(VENDORS), dice.choice(SIZES)
    since = now - timedelta(days=days)
    flag = dice.random() < 0.5
    made = {"field": "attribute_range", "code": "made"}
    every = [
        ({"field": "tag", "values": sorted(some)}, lambda p: bool(some & {*p.tags})),
        ({"field": "vendor", "values": [vendor]}, lambda p: p.vendor == vendor),
        ({"field": "product_type", "values": ["Mug"]}, lambda p: p.kind == "Mug"),
        (
            {"field": "option", "name": "Size", "values": [size]},
            lambda p: p.size == size,
        ),
        (
            {"field": "category", "values": [str(shelves[n]) for n in names]},
            lambda p: on_shelf(p, names),
        ),
        (
            {"field": "attribute", "code": "wood", "values": [wood, "elm"]},
            lambda p: p.attributes.get("wood") == wood,
        ),
        (
            {"field": "attribute", "code": "spare", "values": [flag]},
            lambda p: p.attributes.get("spare") is flag,
        ),
        (
            {"field": "attribute", "code": "depth", "values": [depth]},
            lambda p: p.attributes.get("depth") == depth,
        ),
        (
            {"field": "attribute_range", "code": "depth", "least": 2, "most": depth},
            lambda p: 2 <= p.attributes.get("depth", 0) <= depth,
        ),
        ({**made, "most": day}, lambda p: p.attributes.get("made", "z") <= day),
        (
            {"field": "title", "text": " ".join(words)},
            lambda p: within(words, p.title),
        ),
        (
            {"field": "price", "currency": "EUR", "least": low, "most": max(low, high)},
            lambda p: (
                p.currency == "EUR"
                and any(low <= price <= max(low, high) for price in p.prices)
            ),
        ),
        ({"field": "available", "value": flag}, lambda p: (p.on_hand > 0) is flag),
        ({"field": "reduced", "value": flag}, lambda p: p.reduced is flag),
        ({"field": "created", "days": days}, lambda p: p.at >= since),
    ]
    condition, holds = dice.choice(every)
    other = {"title": "does_not_contain", "created": "before_days"}
    if condition["field"] not in ("available", "reduced") and dice.random() < 0.3:
        said = {"operator": other.get(condition["field"], "is_not")}
        return {**condition, **said}, lambda p: not holds(p)
    return condition, holds


@pytest.fixture
async def shelves(database, clock):
    ids = {}
    async with database.transaction() as tx:
        for name, above in SHELVES.items():
            parent = None if above is None else ids[above]
            new = catalog.NewCategory(name, name, parent_id=parent)
            (made,) = await catalog.add_categories(tx, [new], at=clock())
            ids[name] = made.id
    return ids


@pytest.fixture
def sell(database, clock):
    """Put a product of two variants on sale as the model has it; returns its id."""

    async def put(number: int, sold: Sold) -> UUID:
        skus = [f"{number}-{n}" for n in range(2)]
        draft = catalog.Draft(
            handle=f"p-{number}",
            title=" ".join(sold.title),
            status="active",
            vendor=sold.vendor,
            product_type=sold.kind,
            tags=sold.tags,
            attributes=sold.attributes,
            categories=sold.shelves,
            options=(
                catalog.Option("Size", (sold.size,)),
                catalog.Option("Lid", ("yes", "no")),
            ),
            variants=tuple(
                catalog.VariantDraft(
                    sku=sku,
                    price=Money(price, sold.currency),
                    options={"Size": sold.size, "Lid": lid},
                    compare_at_price=(
                        Money(price + 1, sold.currency)
                        if sold.reduced and lid == "no"
                        else None
                    ),
                )
                for sku, price, lid in zip(
                    skus, sold.prices, ("yes", "no"), strict=True
                )
            ),
        )
        made = await create_product(database, draft, clock=clock)
        if sold.on_hand:
            level = {"reason": "delivery", "actor": "test", "clock": clock}
            await stock.set_level(database, skus[1], sold.on_hand, **level)
        return made.id

    return put


async def defined(database, clock):
    async with database.transaction() as tx:
        for code, type_ in (
            *(("wood", "text"), ("depth", "number"), ("spare", "boolean")),
            ("made", "date"),
        ):
            draft = catalog.AttributeDraft(code=code, name=code, type=type_)
            await catalog.add_attribute(tx, draft, at=clock())


class TestByRule:
    async def test_holds_of_whom_a_plain_filter_says(
        self, database, clock, shelves, sell, find
    ):
        await defined(database, clock)
        dice = random.Random(11)  # noqa: S311 - the same products each time
        there = {}
        for number in range(40):
            sold = drawn(dice, clock())
            there[await sell(number, sold)] = sold
            clock.advance(hours=3)
        by_hand = dict.fromkeys(("all", "any"), 0)

        for _ in range(150):
            drawn_ = [
                drawn_condition(dice, shelves, clock())
                for _ in range(dice.randint(1, 4))
            ]
            match = dice.choice(("all", "any"))
            wanted = rule(*(one for one, _ in drawn_), match=match)
            holds = {"all": all, "any": any}[match]
            expected = {
                id_ for id_, p in there.items() if holds(is_(p) for _, is_ in drawn_)
            }
            by_hand[match] += 0 < len(expected) < len(there)

            sort = dice.choice(("newest", "price", "-price", "title"))
            among = search.by_rule(wanted, clock())
            _, found = await find(filters={"among": among}, sort=sort, limit=100)
            assert set(found.ids) == expected, wanted
            assert len(found.ids) == len(expected)

        # Most rules told some from others.
        assert min(by_hand.values()) > 30

    async def test_stands_beside_words_facets_and_pages(self, find, put, clock):
        for number in range(7):
            tags = ("gift",) if number % 2 else ()
            await put(f"Mug {number}", tags=tags, vendor="Acme")
        gift = search.by_rule(rule({"field": "tag", "values": ["gift"]}), clock())

        for typed, sort in ((None, "newest"), ("mug", "relevance"), ("mug", "title")):
            titles, after = [], None
            while True:
                page, found = await find(
                    *(typed,),
                    filters={"among": gift},
                    sort=sort,
                    after=after,
                    limit=2,
                    facets=True,
                )
                titles += page
                assert found.facets.count == 3
                after = found.next
                if after is None:
                    break
            assert sorted(titles) == ["Mug 1", "Mug 3", "Mug 5"]

    @pytest.mark.parametrize(
        "text",
        ["' & | ! :* <->", "%_\\", "((a))", ".*", "<b>a</b>", "שלום 🫖", "³", "$1 a"],
    )
    async def test_takes_signs_for_what_they_are(self, find, put, clock, text):
        await put("Mug", tags=(text,), vendor=text)
        await put("A shalom tea", tags=("other",))

        for field in ("tag", "vendor"):
            wanted = search.by_rule(rule({"field": field, "values": [text]}), clock())
            assert (await find(filters={"among": wanted}))[0] == ["Mug"]
        for condition in (
            {"field": "attribute", "code": text, "values": [text]},
            {"field": "option", "name": text, "values": [text]},
            {"field": "title", "text": text},
        ):
            wanted = search.by_rule(rule(condition), clock())
            titles, _ = await find(filters={"among": wanted})
            assert "Mug" not in titles


class TestByHand:
    async def test_holds_of_what_was_put_in(self, database, find, put, clock):
        cup, _ = await put("Cup"), await put("Mug")
        collection_id = new_id()
        await database.fetch(
            "INSERT INTO collections (id, handle, title, description_html, seo_title, "
            "seo_description, image_alt, status, sort, position, created_at, "
            "updated_at) VALUES ($1, 'x', 'X', '', '', '', '', 'active', 'manual', 0, "
            "now(), now())",
            collection_id,
        )
        await database.fetch(
            "INSERT INTO collection_products VALUES ($1, $2, 1)", collection_id, cup.id
        )

        among = search.by_hand(collection_id)

        assert (await find(filters={"among": among}))[0] == ["Cup"]
