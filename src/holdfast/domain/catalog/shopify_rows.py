"""Products as rows of the CSV file that Shopify exports and takes in.

The inverse of ``shopify``: what is written here is read there as the same product, as
far as the format can say it. It cannot say the size of an image, a category's handle
other than that of its name and where it stands, schedules, references and further
prices; JSON Lines can, and what is there keeps them (``unsaid``). The last column is
ours: the format has no word for the currency of a price, and whoever does not know the
column passes it over. Texts that a spreadsheet would run are defused (``cells``); a
barcode always begins with an apostrophe, as Shopify's does, which keeps its zeros.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import zip_longest

from holdfast.domain.catalog.attributes import Attribute
from holdfast.domain.catalog.cells import defuse, joined
from holdfast.domain.catalog.metafields import cell_of
from holdfast.domain.catalog.model import Image, Product, Variant, slugify
from holdfast.kernel.money import Money, exponent

COLUMNS = (
    *("Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published"),
    *("Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value"),
    *("Option3 Name", "Option3 Value", "Variant SKU", "Variant Grams"),
    *("Variant Inventory Tracker", "Variant Inventory Qty"),
    *("Variant Inventory Policy", "Variant Fulfillment Service", "Variant Price"),
    *("Variant Compare At Price", "Variant Requires Shipping", "Variant Taxable"),
    *("Variant Barcode", "Image Src", "Image Position", "Image Alt Text"),
    *("SEO Title", "SEO Description", "Variant Image", "Variant Weight Unit"),
    *("Status", "Collection", "Variant Price Currency"),
)
_DEFAULT = ("Title", "Default Title")
_NONE: Mapping[str, str] = {}


def columns_of(attributes: Iterable[Attribute]) -> dict[str, str]:
    """By the codes of attributes the columns that say them: metafields.

    What refers to a product has none: how Shopify's files name one, nobody says.
    """
    return {
        one.code: defuse(f"{one.name} (product.metafields.custom.{one.code})")
        for one in attributes
        if one.type != "reference"
    }


def header(columns: Mapping[str, str] = _NONE) -> bytes:
    """The names of all columns; *columns* are those of attributes by code."""
    return _written([(*COLUMNS, *columns.values())])


def rows(product: Product, columns: Mapping[str, str] = _NONE) -> bytes:
    """The rows of a product, its ``available`` taken for what is on hand."""
    cells: list[dict[str, str]] = []
    pairs = zip_longest(product.variants, product.images)
    urls = {image.id: image.url for image in product.images}
    for place, (variant, image) in enumerate(pairs):
        row = {"Handle": product.handle}
        if place == 0:
            row |= _texts(product)
            row |= {
                columns[code]: defuse(cell_of(value))
                for code, value in product.attributes.items()
                if code in columns
            }
        if variant is not None:
            row |= _variant(product, variant, first=place == 0)
            row["Variant Image"] = urls.get(variant.image_id, "")
        if image is not None:
            row |= _image(image, place + 1)
        cells.append(row)
    names = (*COLUMNS, *columns.values())
    return _written([row.get(name, "") for name in names] for row in cells)


def _texts(product: Product) -> dict[str, str]:
    names = [
        category.name
        for category in product.categories
        # Its type is a category of its own when it is read.
        if category.handle != slugify(product.product_type)
    ]
    return {
        "Title": defuse(product.title),
        "Body (HTML)": defuse(product.description_html),
        "Vendor": defuse(product.vendor),
        "Type": defuse(product.product_type),
        "Tags": defuse(joined(product.tags)),
        "Published": "true" if product.status == "active" else "false",
        "SEO Title": defuse(product.seo_title),
        "SEO Description": defuse(product.seo_description),
        # Somebody else's shop does not know when this one would begin to sell.
        "Status": "draft" if product.status == "scheduled" else product.status,
        "Collection": defuse(joined(names)),
    }


def _variant(product: Product, variant: Variant, *, first: bool) -> dict[str, str]:
    row = {
        "Variant SKU": defuse(variant.sku),
        "Variant Grams": str(variant.weight_grams),
        "Variant Inventory Tracker": "shopify",
        "Variant Inventory Qty": str(variant.available),
        "Variant Inventory Policy": "deny",
        "Variant Fulfillment Service": "manual",
        "Variant Price": _amount(variant.price),
        "Variant Requires Shipping": "true",
        "Variant Taxable": "true",
        "Variant Weight Unit": "g",
        "Variant Price Currency": variant.price.currency,
    }
    if variant.compare_at_price is not None:
        row["Variant Compare At Price"] = _amount(variant.compare_at_price)
    if variant.barcode is not None:
        row["Variant Barcode"] = "'" + defuse(variant.barcode)
    if not product.options:
        row["Option1 Value"] = _DEFAULT[1]
        if first:
            row["Option1 Name"] = _DEFAULT[0]
    for number, option in enumerate(product.options, 1):
        row[f"Option{number} Value"] = defuse(variant.options[option.name])
        if first:
            row[f"Option{number} Name"] = defuse(option.name)
    return row


def _image(image: Image, place: int) -> dict[str, str]:
    return {
        "Image Src": image.url,
        "Image Position": str(place),
        "Image Alt Text": defuse(image.alt),
    }


def _amount(money: Money) -> str:
    places = exponent(money.currency)
    return f"{Decimal(money.amount).scaleb(-places):.{places}f}"


def _written(lines: Iterable[Iterable[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(lines)
    return written.getvalue().encode()
