"""Products as JSON Lines: one product a line.

A line is what ``POST /v1/products`` takes, with more, so that an export is as much of
a shop as can be. A variant has what is ``on_hand``, its ``prices`` beside its own, and
the ``image`` that shows it, by its place among the product's. A category has its name
and those above it, and each is made where there is none; one that is only a handle must
be there. Products are named by their handles: those it is ``related`` to, and those to
which an attribute refers.

Bounded: a line of more than 4 MiB is a fault, not memory; so is what is nested too
deeply. A line that cannot be used keeps no other out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

from holdfast.domain.catalog.arrivals import (
    Arrival,
    OtherPrice,
    Portion,
    RowFault,
    category_faults,
)
from holdfast.domain.catalog.csv_rows import START, Place, UnusableFile
from holdfast.domain.catalog.drafts import Draft, VariantDraft
from holdfast.domain.catalog.errors import Fault, first_faults
from holdfast.domain.catalog.lines import (
    Line,
    SaidAmount,
    SaidCategory,
    SaidPrice,
    SaidShelf,
    SaidVariant,
)
from holdfast.domain.catalog.model import Image, Option, is_handle, slugify
from holdfast.domain.catalog.rules import (
    NewCategory,
    faults,
    moment_faults,
    price_faults,
)
from holdfast.domain.catalog.translations import ProductTexts
from holdfast.kernel.errors import MOST_FAULTS
from holdfast.kernel.languages import canonical
from holdfast.kernel.money import Money

MAX_LINE_BYTES = 1 << 22
"""2,000 variants of 500 bytes are a quarter of it, the longest description 64 KiB."""

MAX_EMPTY_LINES = 1 << 20
_MAX_FAULTS = 20
_TAG_CHARS = 40
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NUL = b"\\u0000"
_WHERE = re.compile(
    r"^(?P<what>.*?)(?: - at (?:`?key`? in )?`\$(?P<path>.*)`)?$", re.DOTALL
)
_decoder = msgspec.json.Decoder(Line)


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


def _faults(arrival: Arrival, line: Line) -> Iterator[Fault]:
    yield from faults(arrival.draft)
    yield from category_faults(arrival.categories)
    yield from _image_faults(line)
    yield from _price_faults(arrival)
    yield from _related_faults(arrival)
    yield from _text_faults(arrival, line.translations)


def _image_faults(line: Line) -> Iterator[Fault]:
    for index, one in enumerate(line.variants):
        if one.image is not None and not 1 <= one.image <= len(line.images):
            here = f"/variants/{index}/image"
            yield Fault(
                here, "must be the place of one of the product's images, from 1"
            )


def _related_faults(arrival: Arrival) -> Iterator[Fault]:
    seen = set[str]()
    for index, handle in enumerate(arrival.related or ()):
        here = f"/related/{index}"
        if not is_handle(handle):
            yield Fault(here, "must be the handle of a product")
        elif handle == arrival.draft.handle:
            yield Fault(here, "is the product itself")
        elif handle in seen:
            yield Fault(here, "is there twice")
        seen.add(handle)


def _text_faults(arrival: Arrival, said: Mapping[str, ProductTexts]) -> Iterator[Fault]:
    """What can be told of translations without the definitions of attributes."""
    draft = arrival.draft
    places = {str(place) for place, _ in enumerate(draft.images, 1)}
    seen = set[str]()
    for locale in said:
        tag = canonical(locale)
        here = f"/translations/{locale[:_TAG_CHARS]}"
        if tag is None:
            yield Fault(here, "must be a language tag as de or pt-BR")
        elif tag in seen:
            yield Fault(here, "is there twice")
        else:
            seen.add(tag)
            for fault in arrival.texts[tag].own_faults(draft.options, places):
                yield Fault(f"{here}{fault.pointer}", fault.detail)


def _price_faults(arrival: Arrival) -> Iterator[Fault]:
    for index, variant in enumerate(arrival.draft.variants):
        for place, one in enumerate(arrival.prices.get(variant.sku, ())):
            here = f"/variants/{index}/prices/{place}"
            yield from price_faults(one.price, one.compare_at_price, here)
            yield from moment_faults(one.starts_at, f"{here}/starts_at")
            yield from moment_faults(one.ends_at, f"{here}/ends_at")


def _arrival(line: Line, number: int) -> Arrival:
    shelves: dict[str, NewCategory] = {}
    parents: dict[str, str] = {}
    for one in line.categories:
        above = None
        chain: tuple[SaidShelf | SaidCategory, ...] = ()
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
        texts={
            tag: texts.cleaned()
            for locale, texts in line.translations.items()
            if (tag := canonical(locale)) is not None
        },
        related=None if line.related is None else tuple(line.related),
    )


def _variant(said: SaidVariant) -> VariantDraft:
    return VariantDraft(
        sku=said.sku,
        price=Money(said.price.amount, said.price.currency),
        options=said.options,
        compare_at_price=_money(said.compare_at_price),
        weight_grams=said.weight_grams,
        barcode=said.barcode,
    )


def _other(said: SaidPrice) -> OtherPrice:
    return OtherPrice(
        Money(said.price.amount, said.price.currency),
        _money(said.compare_at_price),
        said.min_quantity,
        said.starts_at,
        said.ends_at,
    )


def _money(said: SaidAmount | None) -> Money | None:
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
