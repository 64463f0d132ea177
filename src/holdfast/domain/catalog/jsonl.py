"""Products as JSON Lines: one product a line.

A line is what ``POST /v1/products`` takes, with more, so that an export is as much of
a shop as can be. A variant has what is ``on_hand``, its ``prices`` beside its own, and
the ``image`` that shows it, by its place among the product's. A category has its name
and those above it, and each is made where there is none; one that is only a handle must
be there.

Bounded: a line of more than 4 MiB is a fault, not memory; so is what is nested too
deeply. A line that cannot be used keeps no other out.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, BinaryIO

import msgspec

from holdfast.domain.catalog.arrivals import (
    Arrival,
    OtherPrice,
    Portion,
    RowFault,
    category_faults,
)
from holdfast.domain.catalog.besides import Besides
from holdfast.domain.catalog.csv_rows import START, Place, UnusableFile
from holdfast.domain.catalog.drafts import Draft, VariantDraft, draft_of
from holdfast.domain.catalog.errors import Fault, first_faults
from holdfast.domain.catalog.model import (
    Image,
    Option,
    Product,
    Status,
    Value,
    slugify,
)
from holdfast.domain.catalog.rules import (
    NewCategory,
    faults,
    moment_faults,
    price_faults,
)
from holdfast.domain.catalog.tree import MAX_LEVELS
from holdfast.kernel.errors import MOST_FAULTS
from holdfast.kernel.money import Money

MAX_LINE_BYTES = 1 << 22
"""2,000 variants of 500 bytes are a quarter of it, the longest description 64 KiB."""

MAX_EMPTY_LINES = 1 << 20
_MAX_FAULTS = 20
_MAX_PRICES = 200
"""Of a variant, beside its own: as many as the shop allows in one list."""
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NUL = b"\\u0000"
_WHERE = re.compile(
    r"^(?P<what>.*?)(?: - at (?:`?key`? in )?`\$(?P<path>.*)`)?$", re.DOTALL
)


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    amount: int
    currency: str


class _Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    values: list[str]


class _Image(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


class _Shelf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    handle: str
    name: str


class _Category(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    handle: str
    name: str
    path: Annotated[list[_Shelf], msgspec.Meta(max_length=MAX_LEVELS - 1)] = []


class _Price(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    price: _Amount
    compare_at_price: _Amount | None = None
    min_quantity: int = 1
    starts_at: _Moment | None = None
    ends_at: _Moment | None = None


class _Variant(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    sku: str
    price: _Amount
    options: dict[str, str] = {}
    compare_at_price: _Amount | None = None
    weight_grams: int = 0
    barcode: str | None = None
    on_hand: int | None = None
    image: int | None = None
    prices: Annotated[list[_Price], msgspec.Meta(max_length=_MAX_PRICES)] = []


class _Line(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    title: str
    variants: list[_Variant]
    handle: str | None = None
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    status: Status = "draft"
    tags: list[str] = []
    options: list[_Option] = []
    images: list[_Image] = []
    categories: list[str | _Category] = []
    seo_title: str = ""
    seo_description: str = ""
    publish_at: _Moment | None = None
    unpublish_at: _Moment | None = None
    attributes: dict[str, Value] = {}


_decoder = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()
_NOTHING = Besides()


def jsonl_portions(file: BinaryIO, *, start: Place = START) -> Iterator[Portion]:
    """Read a file one product at a time, from *start* on, which began a line before.

    Raises ``UnusableFile`` if it is not such a file at all.
    """
    if start.offset:
        file.seek(start.offset)
    place, empty = start, 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        length, is_long = len(raw), len(raw) > MAX_LINE_BYTES
        if is_long and not raw.endswith(b"\n"):
            length += _skip_line(file)
        place = Place(place.offset + length, place.lines + 1)
        if place.lines == 1:
            if raw.startswith(_UTF16):
                raise UnusableFile("the file is UTF-16: save it as UTF-8")
            raw = raw.removeprefix(_BOM)
        if is_long:
            yield _refused(place, ["the line is longer than 4 MiB"])
        elif raw.strip():
            yield _portion(raw, place)
            empty = 0
        else:
            empty += 1
            if empty > MAX_EMPTY_LINES:
                raise UnusableFile(f"more than {MAX_EMPTY_LINES:,} lines are empty")


def jsonl_line(product: Product, more: Besides = _NOTHING) -> bytes:
    """A product as a line, its ``available`` taken for what is on hand."""
    places = {image.id: place for place, image in enumerate(product.images, 1)}
    # Of what a time has put on sale or off it, that time is over.
    now = draft_of(product)
    line = _Line(
        title=product.title,
        handle=product.handle,
        description_html=product.description_html,
        vendor=product.vendor,
        product_type=product.product_type,
        status=product.status,
        tags=list(product.tags),
        options=[_Option(one.name, list(one.values)) for one in product.options],
        images=[_Image(i.url, i.alt, i.width, i.height) for i in product.images],
        categories=[
            _Category(
                one.handle, one.name, [_Shelf(*s) for s in more.paths.get(one.id, ())]
            )
            for one in product.categories
        ],
        seo_title=product.seo_title,
        seo_description=product.seo_description,
        publish_at=now.publish_at,
        unpublish_at=now.unpublish_at,
        attributes=product.attributes,
        variants=[
            _Variant(
                sku=one.sku,
                price=_Amount(one.price.amount, one.price.currency),
                options=one.options,
                compare_at_price=_amount(one.compare_at_price),
                weight_grams=one.weight_grams,
                barcode=one.barcode,
                on_hand=one.available,
                image=places.get(one.image_id),
                prices=[_price(price) for price in more.prices.get(one.id, ())],
            )
            for one in product.variants
        ],
    )
    return _encoder.encode(line) + b"\n"


def _amount(money: Money | None) -> _Amount | None:
    return None if money is None else _Amount(money.amount, money.currency)


def _price(other: OtherPrice) -> _Price:
    return _Price(
        _Amount(other.price.amount, other.price.currency),
        _amount(other.compare_at_price),
        other.min_quantity,
        other.starts_at,
        other.ends_at,
    )


def _skip_line(file: BinaryIO) -> int:
    skipped = 0
    while rest := file.readline(MAX_LINE_BYTES):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def _portion(raw: bytes, end: Place) -> Portion:
    try:
        line = _decoder.decode(raw)
        if _NUL in raw and _has_nul(msgspec.json.decode(raw)):
            return _refused(end, ["there is a NUL character in a text"])
    except msgspec.ValidationError as error:
        return _refused(end, [_explain(error)])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _refused(end, [f"this is not JSON: {error}"])
    except RecursionError:
        return _refused(end, ["this is nested too deeply"])
    # Nobody sees it if there are faults.
    arrival = _arrival(line, end.lines)
    if found := first_faults(_faults(arrival, line)):
        said = [f"{fault.pointer[1:]} {fault.detail}" for fault in found]
        return _refused(end, said, arrival.draft.handle)
    return Portion((), arrival, arrival.draft.handle, end)


def _refused(end: Place, said: list[str], handle: str = "") -> Portion:
    shown = [RowFault(end.lines, message) for message in said[:_MAX_FAULTS]]
    if more := len(said) - len(shown):
        least = "at least " if len(said) == MOST_FAULTS else ""
        shown.append(RowFault(end.lines, f"and {least}{more} faults more"))
    return Portion(tuple(shown), None, handle, end)


def _faults(arrival: Arrival, line: _Line) -> Iterator[Fault]:
    yield from faults(arrival.draft)
    yield from category_faults(arrival.categories)
    yield from _image_faults(line)
    yield from _price_faults(arrival)


def _image_faults(line: _Line) -> Iterator[Fault]:
    for index, one in enumerate(line.variants):
        if one.image is not None and not 1 <= one.image <= len(line.images):
            here = f"/variants/{index}/image"
            yield Fault(
                here, "must be the place of one of the product's images, from 1"
            )


def _price_faults(arrival: Arrival) -> Iterator[Fault]:
    for index, variant in enumerate(arrival.draft.variants):
        for place, one in enumerate(arrival.prices.get(variant.sku, ())):
            here = f"/variants/{index}/prices/{place}"
            yield from price_faults(one.price, one.compare_at_price, here)
            yield from moment_faults(one.starts_at, f"{here}/starts_at")
            yield from moment_faults(one.ends_at, f"{here}/ends_at")


def _arrival(line: _Line, number: int) -> Arrival:
    shelves: dict[str, NewCategory] = {}
    parents: dict[str, str] = {}
    for one in line.categories:
        above = None
        chain: tuple[_Shelf | _Category, ...] = ()
        if not isinstance(one, str):
            chain = (*one.path, one)
        for shelf in chain:
            # As it was said first: what is said twice can be no circle so.
            if shelf.handle not in shelves:
                shelves[shelf.handle] = NewCategory(shelf.handle, shelf.name)
                if above is not None:
                    parents[shelf.handle] = above
            above = shelf.handle
    draft = Draft(
        handle=slugify(line.title) if line.handle is None else line.handle,
        title=line.title,
        description_html=line.description_html,
        vendor=line.vendor,
        product_type=line.product_type,
        status=line.status,
        tags=tuple(line.tags),
        options=tuple(Option(one.name, tuple(one.values)) for one in line.options),
        images=tuple(Image(i.url, i.alt, i.width, i.height) for i in line.images),
        categories=tuple(
            one if isinstance(one, str) else one.handle for one in line.categories
        ),
        variants=tuple(map(_variant, line.variants)),
        seo_title=line.seo_title,
        seo_description=line.seo_description,
        publish_at=line.publish_at,
        unpublish_at=line.unpublish_at,
        attributes=line.attributes,
    ).cleaned()
    return Arrival(
        draft,
        tuple(shelves.values()),
        {one.sku: one.on_hand for one in line.variants if one.on_hand is not None},
        number,
        is_checked=True,
        parents=parents,
        shown={one.sku: one.image for one in line.variants if one.image is not None},
        prices={
            one.sku: [_other(said) for said in one.prices]
            for one in line.variants
            if one.prices
        },
    )


def _variant(said: _Variant) -> VariantDraft:
    return VariantDraft(
        sku=said.sku,
        price=Money(said.price.amount, said.price.currency),
        options=said.options,
        compare_at_price=_money(said.compare_at_price),
        weight_grams=said.weight_grams,
        barcode=said.barcode,
    )


def _other(said: _Price) -> OtherPrice:
    return OtherPrice(
        Money(said.price.amount, said.price.currency),
        _money(said.compare_at_price),
        said.min_quantity,
        said.starts_at,
        said.ends_at,
    )


def _money(said: _Amount | None) -> Money | None:
    return None if said is None else Money(said.amount, said.currency)


def _explain(error: msgspec.ValidationError) -> str:
    """``variants/0/sku: expected `str`, got `int```, as msgspec tells it otherwise."""
    match = _WHERE.match(str(error))
    what, path = (match["what"], match["path"]) if match else (str(error), None)
    place = re.sub(r"[.\[\]]+", "/", path or "").strip("/")
    return f"{place}: {what}" if place else what


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, list):
        return any(map(_has_nul, value))
    if isinstance(value, dict):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    return False
