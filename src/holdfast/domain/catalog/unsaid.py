"""What a file does not say of a product that is there, and so leaves as it is.

No format says everything. Shopify's CSV has no word for the time at which a product
goes on sale, the handle of a category, the size of an image or a value that no variant
has, and makes one space of several. So a file is held against what the same format says
of the product now: where both say the same, the product stays as it is, and only where
they differ is the file's word taken. Otherwise a file would change products by being
taken in where it came from.

The type of a product is more than a text in that format: it puts what is new into a
category of its name. Where a product stands that is there, people have decided, so only
another type puts it elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO

import msgspec

from holdfast.domain.catalog.arrivals import Arrival
from holdfast.domain.catalog.cells import as_line
from holdfast.domain.catalog.drafts import Draft, VariantDraft, draft_of
from holdfast.domain.catalog.errors import Fault, ProductInvalid
from holdfast.domain.catalog.metafields import unless_same
from holdfast.domain.catalog.model import Image, Option, Product, slugify
from holdfast.domain.catalog.shopify import shopify_portions
from holdfast.domain.catalog.shopify_rows import header, rows

_OF_PRODUCT = (
    *("title", "description_html", "vendor", "product_type", "status", "tags"),
    *("seo_title", "seo_description"),
)
_OF_VARIANT = ("price", "compare_at_price", "weight_grams", "barcode")


def over(arrival: Arrival, product: Product) -> Arrival:
    """The arrival as a change of *product*, which is there: with all it will be.

    Raises ``ProductInvalid`` for a price that would come to be in another currency
    because the file does not say in which it is.
    """
    _check_currency(arrival, product)
    if arrival.is_lossy:
        told = _read_back(product)
        if told is not None:
            arrival = _differing(arrival, told, product)
        arrival = _filed(arrival, product)
        attributes = unless_same(arrival.draft.attributes, product.attributes)
        arrival = replace(arrival, draft=replace(arrival.draft, attributes=attributes))
    draft = arrival.draft.beyond(product).beside(product)
    return replace(arrival, draft=draft)


def _check_currency(arrival: Arrival, product: Product) -> None:
    if arrival.says_currency:
        return
    there = {variant.sku: variant.price.currency for variant in product.variants}
    for index, variant in enumerate(arrival.draft.variants):
        currency = variant.price.currency
        if (now := there.get(variant.sku, currency)) != currency:
            here = f"/variants/{index}/price/currency"
            said = f"is {now} and would be {currency}, which the file does not say"
            raise ProductInvalid([Fault(here, said)])


def _read_back(product: Product) -> Arrival | None:
    """What an export says of a product; None if it is more than an import takes."""
    file = BytesIO(header() + rows(product))
    currency = product.variants[0].price.currency
    portions = list(shopify_portions(file, currency=currency))
    return portions[0].arrival if len(portions) == 1 else None


def _differing(arrival: Arrival, told: Arrival, product: Product) -> Arrival:
    """The arrival where it says something else than it would now, else the product."""
    said, now = arrival.draft, draft_of(product)
    same = {
        name: getattr(now, name)
        for name in _OF_PRODUCT
        if getattr(said, name) == getattr(told.draft, name)
    }
    images = _images(said.images, told.draft.images, now.images)
    choices = _Choices(told.draft, now)
    draft = replace(
        said,
        **same,
        images=images,
        options=choices.options(said.options),
        variants=tuple(choices.variants(said.variants)),
    )
    # The first of an address, if it is there more than once.
    places = {one.url: place for place, one in [*enumerate(images, 1)][::-1]}
    shows, showed = _shown(arrival), _shown(told)
    shown = {sku: places[url] for sku, url in shows.items() if showed.get(sku) != url}
    return replace(arrival, draft=draft, shown=shown)


def _shown(arrival: Arrival) -> dict[str, str]:
    """By SKU the address of the image that shows the variant."""
    images = arrival.draft.images
    return {sku: images[place - 1].url for sku, place in arrival.shown.items()}


def _images(
    said: Sequence[Image], told: Sequence[Image], now: Sequence[Image]
) -> tuple[Image, ...]:
    if said == told:
        return tuple(now)
    alts = {image.url: image.alt for image in told}
    known = {image.url: image for image in reversed(now)}
    return tuple(
        image
        if image.url not in known
        else known[image.url]
        if alts.get(image.url) == image.alt
        else msgspec.structs.replace(known[image.url], alt=image.alt)
        for image in said
    )


class _Choices:
    """What there is to choose, in the words of the product instead of the file's."""

    def __init__(self, told: Draft, now: Draft) -> None:
        self._told, self._now = told, now
        pairs = zip(told.options, now.options, strict=False)
        self._names = {theirs.name: ours.name for theirs, ours in pairs}
        self._told_of = {variant.sku: variant for variant in told.variants}
        self._now_of = {variant.sku: variant for variant in now.variants}
        self._values = {
            (theirs, value): self._now_of[sku].options[ours]
            for sku, variant in self._told_of.items()
            for theirs, ours in self._names.items()
            for value in (variant.options[theirs],)
        }

    def options(self, said: tuple[Option, ...]) -> tuple[Option, ...]:
        if said == self._told.options:
            return self._now.options
        there = {option.name: option.values for option in self._now.options}
        used = {pair for one in self._now.variants for pair in one.options.items()}
        options = []
        for option in said:
            name = self._names.get(option.name, option.name)
            values = [self._value(option.name, value) for value in option.values]
            # Nobody takes away what no variant has yet: the file cannot say it.
            spare = [one for one in there.get(name, ()) if (name, one) not in used]
            options.append(Option(name, tuple(dict.fromkeys([*values, *spare]))))
        return tuple(options)

    def variants(self, said: Sequence[VariantDraft]) -> Iterator[VariantDraft]:
        for variant in said:
            told, now = self._told_of.get(variant.sku), self._now_of.get(variant.sku)
            if told is None or now is None:
                yield replace(variant, options=self._chosen(variant.options))
                continue
            same = {
                name: getattr(now, name)
                for name in _OF_VARIANT
                if getattr(variant, name) == getattr(told, name)
            }
            is_same = variant.options == told.options
            options = now.options if is_same else self._chosen(variant.options)
            yield replace(variant, **same, options=options)

    def _chosen(self, said: Mapping[str, str]) -> dict[str, str]:
        return {
            self._names.get(name, name): self._value(name, value)
            for name, value in said.items()
        }

    def _value(self, name: str, value: str) -> str:
        return self._values.get((name, value), value)


def _filed(arrival: Arrival, product: Product) -> Arrival:
    """The arrival with the categories that are meant by their names.

    Those in which the product stands go before others of the same name.
    """
    collections, kind = arrival.collections, arrival.draft.product_type
    by_type, is_another = slugify(kind), kind != product.product_type
    wanted = {slugify(name) or name for name in collections or ()}
    stays, there = [], set()
    for category in product.categories:
        names = {slugify(category.name) or as_line(category.name), category.handle}
        there |= names
        # What the file has no column for stays, but for what the old type stood for.
        is_old = is_another and category.handle == slugify(product.product_type)
        if names & {*wanted, by_type} or (collections is None and not is_old):
            stays.append(category.handle)
    if is_another:
        wanted.add(by_type)
    new = [one for one in arrival.categories if one.handle in wanted - there]
    handles = (*stays, *(category.handle for category in new))
    draft = replace(arrival.draft, categories=handles)
    return replace(arrival, draft=draft, categories=tuple(new))
