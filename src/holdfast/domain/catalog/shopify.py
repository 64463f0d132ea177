"""Products from the CSV file that Shopify exports.

A product is a run of rows with the same handle. The first has the texts and the
first variant; each further row has a variant, an image, or both. A product is
taken as a whole: when one of its rows cannot be used, the others stay out too.

What the file leaves open is decided here: a variant without SKU gets
``<handle>-<position>``; "Default Title" means there is nothing to choose; the
product type and the collections become categories; a negative quantity is none; a
price is in the currency of a column of ours, or that which the reader is told.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import chain
from typing import BinaryIO

from holdfast.domain.catalog.arrivals import (
    Arrival,
    Portion,
    RowFault,
    category_faults,
)
from holdfast.domain.catalog.cells import as_line, listed
from holdfast.domain.catalog.csv_rows import START, Place, Record, records
from holdfast.domain.catalog.csv_runs import runs
from holdfast.domain.catalog.drafts import Draft, VariantDraft
from holdfast.domain.catalog.errors import Fault, first_faults
from holdfast.domain.catalog.model import (
    MAX_TEXT,
    Image,
    Option,
    Status,
    Value,
    slugify,
)
from holdfast.domain.catalog.rules import NewCategory, faults
from holdfast.kernel import money

_REQUIRED = ("Handle", "Title", "Variant Price")
_COLLECTIONS = ("collection", "custom collections")
_CURRENCY = "variant price currency"
# "Material (product.metafields.custom.material)", whatever the namespace is called.
_METAFIELD = re.compile(r"\(product\.metafields\.[^\s().]+\.([a-z][a-z0-9_-]*)\)$")
_STATUS: dict[str, Status] = {
    "active": "active",
    "draft": "draft",
    "archived": "archived",
}
_PUBLISHED = {"": True, "true": True, "false": False}
_DEFAULT = "Default Title"
_OPTION_NUMBERS = (1, 2, 3)
# What makes a row one of a variant; a further image has neither.
_VARIANT_COLUMNS = frozenset({"variant price", "variant sku", "option1 value"})
_LARGEST = 10**15
_SUFFIX_CHARS = 8
_SHOWN_CHARS = 40


class _Unusable(ValueError):
    """A cell that cannot be used."""


def shopify_portions(
    file: BinaryIO, *, currency: str, start: Place = START
) -> Iterator[Portion]:
    """Read a file one product at a time, from *start* on, where one began before.

    Prices that do not say theirs are in *currency*. Raises ``UnusableFile`` if it is
    not such a file at all.
    """
    for run in runs(records(file, _REQUIRED, start=start)):
        found, arrival = [*run.faults], None
        if run.rows:
            product = _Product(run.rows, currency)
            arrival = product.arrival()
            found += product.faults
        found.sort(key=lambda fault: fault.line)
        yield Portion(tuple(found), arrival, run.key, run.end, run.line)


class _Product:
    """Reads the rows of one product and gathers what is wrong with them."""

    def __init__(self, rows: Sequence[Record], currency: str) -> None:
        self._rows = rows
        self._currency = currency
        self.faults: list[RowFault] = []

    def arrival(self) -> Arrival | None:
        """The product, or None if there are faults."""
        first = self._rows[0]
        cells = first.cells
        handle = slugify(cells.get("handle", ""))
        if not cells.get("title"):
            self._fault(first, "the first row of a product must have a title")
        sold = [row for row in self._rows if _is_variant(row)]
        shown = [row for row in self._rows if "image src" in row.cells]
        for row in self._rows:
            if not (_is_variant(row) or "image src" in row.cells):
                self._fault(row, "the row has neither a variant nor an image")
        names = self._option_names(sold)
        variants, on_hand = self._variants(handle, sold, names)
        pictures = self._images(shown, sold)
        images = tuple(image for image, _ in pictures)
        categories = _categories(first)
        draft = Draft(
            handle=handle,
            title=as_line(cells.get("title", "")),
            description_html=cells.get("body (html)", ""),
            vendor=as_line(cells.get("vendor", "")),
            product_type=as_line(cells.get("type", "")),
            status=self._status(first),
            tags=tuple(dict.fromkeys(listed(cells.get("tags", "")))),
            options=_options(names.values(), variants),
            variants=tuple(variants),
            images=images,
            categories=tuple(category.handle for category in categories),
            seo_title=as_line(cells.get("seo title", "")),
            seo_description=as_line(cells.get("seo description", "")),
            attributes=_attributes(first),
        ).cleaned()
        if not self.faults:
            found = chain(faults(draft), category_faults(categories))
            told = [row for _, row in pictures]
            self._place(first_faults(found), sold, told)
        if self.faults:
            return None
        places = {image.url: place for place, image in enumerate(images, 1)}
        shows = {
            variant.sku: places[row.cells["variant image"]]
            for variant, row in zip(variants, sold, strict=True)
            if "variant image" in row.cells
        }
        return Arrival(
            draft,
            categories,
            on_hand,
            first.line,
            is_checked=True,
            shown=shows,
            is_lossy=True,
            collections=_collections(first),
            says_currency=all(_CURRENCY in row.cells for row in sold),
        )

    def _fault(self, row: Record, message: str) -> None:
        self.faults.append(RowFault(row.line, message))

    def _place(
        self, found: Iterable[Fault], sold: Sequence[Record], shown: Sequence[Record]
    ) -> None:
        """Say of each fault of the draft on which line it is."""
        for fault in found:
            _, part, *rest = fault.pointer.split("/")
            rows = {"variants": sold, "images": shown}.get(part, ()) if rest else ()
            row = rows[int(rest[0])] if rows else self._rows[0]
            name = "/".join([part, *rest[1:]] if rows else [part, *rest])
            self._fault(row, f"{name} {fault.detail}")

    def _option_names(self, sold: list[Record]) -> dict[int, str]:
        """The names by their number; empty when there is nothing to choose."""
        names = {
            number: as_line(name)
            for number in _OPTION_NUMBERS
            if (name := self._rows[0].cells.get(f"option{number} name"))
        }
        chosen = {row.cells.get("option1 value") for row in sold}
        others = any("option2 value" in row.cells for row in sold)
        return names if others or not chosen <= {_DEFAULT, None} else {}

    def _variants(
        self, handle: str, sold: list[Record], names: Mapping[int, str]
    ) -> tuple[list[VariantDraft], dict[str, int]]:
        variants = []
        on_hand = {}
        for position, row in enumerate(sold, 1):
            sku = row.cells.get("variant sku") or _derived_sku(handle, position)
            try:
                currency = _currency(row.cells, self._currency)
                variants.append(_variant(row.cells, sku, names, currency))
                if "variant inventory qty" in row.cells:
                    counted = row.cells["variant inventory qty"]
                    # Other shops may sell what they do not have; here none is none.
                    on_hand[sku] = max(0, _whole(counted, "quantity", least=-_LARGEST))
            except _Unusable as error:
                self._fault(row, str(error))
        return variants, on_hand

    def _images(
        self, shown: Sequence[Record], sold: Sequence[Record]
    ) -> list[tuple[Image, Record]]:
        """In their order, each with its row.

        One that only a variant names comes after the others.
        """
        placed = []
        for row in shown:
            url = row.cells["image src"]
            alt = as_line(row.cells.get("image alt text", ""))
            try:
                place = _whole(row.cells.get("image position", "0"), "image position")
            except _Unusable as error:
                self._fault(row, str(error))
            else:
                placed.append((place, Image(url, alt), row))
        placed.sort(key=lambda one: one[0])
        images = {image.url: (image, row) for _, image, row in placed}
        for row in sold:
            if named := row.cells.get("variant image"):
                images.setdefault(named, (Image(named), row))
        return list(images.values())

    def _status(self, row: Record) -> Status:
        published = _PUBLISHED.get(row.cells.get("published", "").casefold())
        status = _STATUS.get(row.cells.get("status", "active").casefold())
        if published is None:
            self._fault(row, "published must be true or false")
        if status is None:
            self._fault(row, "status must be active, draft or archived")
        # What is active and not published in the shop of origin is on sale nowhere.
        return "draft" if status == "active" and not published else status or "draft"


def _is_variant(row: Record) -> bool:
    return bool(_VARIANT_COLUMNS & row.cells.keys())


def _variant(
    cells: Mapping[str, str], sku: str, names: Mapping[int, str], currency: str
) -> VariantDraft:
    if "variant price" not in cells:
        raise _Unusable("the variant has no price")
    options = {
        name: as_line(cells.get(f"option{number} value", ""))
        for number, name in names.items()
    }
    for name, value in options.items():
        if not value:
            raise _Unusable(f"the variant has no {_shown(name)}")
    compare_at = _money(cells.get("variant compare at price", "0"), currency)
    return VariantDraft(
        sku=sku,
        price=_money(cells["variant price"], currency),
        options=options,
        compare_at_price=compare_at if compare_at.amount else None,
        weight_grams=_whole(cells.get("variant grams", "0"), "grams"),
        # Spreadsheets are kept from reading it as a number by an apostrophe.
        barcode=cells.get("variant barcode", "").removeprefix("'") or None,
    )


def _options(
    names: Iterable[str], variants: Iterable[VariantDraft]
) -> tuple[Option, ...]:
    drafts = list(variants)
    return tuple(
        Option(name, tuple(dict.fromkeys(draft.options[name] for draft in drafts)))
        for name in names
    )


def _categories(first: Record) -> tuple[NewCategory, ...]:
    written = (as_line(first.cells.get("type", "")), *(_collections(first) or ()))
    by_handle = {slugify(name): name for name in written}
    return tuple(
        NewCategory(handle, name) for handle, name in by_handle.items() if handle
    )


def _collections(first: Record) -> tuple[str, ...] | None:
    """Their names; None if the file has no column for them, as most have not."""
    columns = [name for name in _COLLECTIONS if name in first.columns]
    if not columns:
        return None
    return tuple(name for one in columns for name in listed(first.cells.get(one, "")))


def _attributes(first: Record) -> dict[str, Value]:
    """What metafields say, by code; what they mean, their definitions know."""
    found: dict[str, Value] = {}
    for column, cell in first.cells.items():
        if column.endswith(")") and (match := _METAFIELD.search(column)):
            found.setdefault(match[1].replace("-", "_"), cell)
    return found


def _derived_sku(handle: str, position: int) -> str:
    return f"{handle[: MAX_TEXT - _SUFFIX_CHARS]}-{position}"


def _currency(cells: Mapping[str, str], default: str) -> str:
    """That of the row's prices: the format has no word for it, so there is ours."""
    currency = cells.get(_CURRENCY, default)
    if currency.upper() not in money.CURRENCIES:
        raise _Unusable(f"the currency {_shown(currency)} is not one of ISO 4217")
    return currency.upper()


def _money(text: str, currency: str) -> money.Money:
    try:
        return money.parse(text, currency)
    except ValueError as error:
        raise _Unusable(f"the price {_shown(text)} is not an amount") from error


def _whole(text: str, what: str, *, least: int = 0) -> int:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _Unusable(f"{what} {_shown(text)} is not a number") from None
    if not number.is_finite() or not least <= number <= _LARGEST:
        raise _Unusable(f"{what} {_shown(text)} is out of range")
    return int(number.to_integral_value(ROUND_HALF_UP))


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "...")
