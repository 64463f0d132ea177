"""Products as a shop tells them, and the rules they keep.

A ``Product`` is what a client reads; what somebody wants one to be is a ``Draft``.
Handles are the words in a product's address: lower case, no accents, no
punctuation, and never the shape of an id, because both are accepted in the same
place.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

import msgspec

from holdfast.kernel import versions
from holdfast.kernel.money import Money

Status: TypeAlias = Literal["draft", "active", "archived", "scheduled"]
STATUSES: tuple[Status, ...] = get_args(Status)

Value: TypeAlias = str | int | float | bool
"""What an attribute of a product says, by the type of its definition."""

Versions: TypeAlias = versions.Versions
"""Which versions of a thing a change was written for; None for any."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant as checkout needs it: what it is, costs and weighs."""

    variant_id: UUID
    sku: str
    title: str
    """The product's title, and the variant's when it has one."""
    price: Money
    weight_grams: int
    active: bool
    """Whether the product is on sale."""


class Option(msgspec.Struct, frozen=True):
    """Something a buyer chooses, and what there is to choose from, in order."""

    name: str
    values: tuple[str, ...]


class Image(msgspec.Struct, frozen=True):
    """A picture of a product; size in pixels where it is known."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None
    position: int = 1
    id: UUID | None = None
    """None before it is in the catalogue."""
    asset_id: UUID | None = None
    """What it is in the shop's own store of pictures; None if kept elsewhere."""


class Variant(msgspec.Struct, frozen=True):
    """One thing that can be bought."""

    id: UUID
    sku: str
    title: str
    options: dict[str, str]
    price: Money
    compare_at_price: Money | None
    weight_grams: int
    barcode: str | None
    available: int
    """On hand and not promised to anybody, at the moment of reading."""
    image_id: UUID | None = None
    """Which of the product's images shows it."""


class CategoryName(msgspec.Struct, frozen=True):
    """A category as a product mentions it."""

    id: UUID
    handle: str
    name: str


class Category(msgspec.Struct, frozen=True):
    """A shelf that products stand on."""

    id: UUID
    handle: str
    name: str
    position: int
    created_at: datetime
    updated_at: datetime
    parent_id: UUID | None = None
    """The shelf above it; None at the top."""
    description_html: str = ""
    seo_title: str = ""
    seo_description: str = ""
    version: int = 1


class Product(msgspec.Struct, frozen=True):
    """A product as a client reads it."""

    id: UUID
    handle: str
    title: str
    description_html: str
    vendor: str
    product_type: str
    status: Status
    tags: tuple[str, ...]
    options: tuple[Option, ...]
    categories: tuple[CategoryName, ...]
    images: tuple[Image, ...]
    variants: tuple[Variant, ...]
    created_at: datetime
    updated_at: datetime
    version: int = 0
    """Every write of the product, its variants, categories or images raises it."""
    seo_title: str = ""
    seo_description: str = ""
    publish_at: datetime | None = None
    unpublish_at: datetime | None = None
    attributes: dict[str, Value] = {}


MAX_TEXT = 255
"""Characters of a one-line text: a title, a handle, an option's name."""

# Accents on Latin, Greek and Cyrillic letters. Marks of other scripts carry
# vowels, without which a word is another word.
_ACCENT = re.compile(r"[\u0300-\u036f]")
MAX_MARKS = 30
"""On one letter: no language has more (UAX #15, Stream-Safe Text Format)."""
# Runs of characters of which that many could be marks: there are none below U+0300.
_HIGH = re.compile(rf"[^\x00-\u02ff]{{{MAX_MARKS + 1},}}")
_UUID = re.compile(r"[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}", re.IGNORECASE)
_ID_CHARS = 36
_PLAIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def without_accents(text: str) -> str:
    """``Crème brûlée`` -> ``Creme brulee``; other scripts stay as they are."""
    bare = _ACCENT.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare)


def slugify(text: str) -> str:
    """Make a handle of a title; empty when it has no letter and no digit.

    Of as much of it as a title may have: to put the marks on one letter in their order
    takes the square of their number, 40 ms for 8,000.
    """
    text = text[:MAX_TEXT]
    folded = without_accents(without_accents(text).casefold()).replace("'", "")
    kept = "".join(char if _is_word(char) else "-" for char in folded)
    return "-".join(filter(None, kept.split("-")))[:MAX_TEXT].rstrip("-")


def _is_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def is_handle(text: str) -> bool:
    """Whether *text* could be a handle; what cannot be is in no table either."""
    if not 0 < len(text) <= MAX_TEXT:
        return False
    if _PLAIN.fullmatch(text):
        # Nearly all: a fifth of what finding the product's JSON would cost else.
        return not _UUID.fullmatch(text)
    return slugify(text) == text and not _UUID.fullmatch(text)


def parse_id(text: str) -> UUID | None:
    """Read an id in its canonical form; None for anything else."""
    if len(text) == _ID_CHARS and _UUID.fullmatch(text):
        return UUID(text)
    return None


def is_heaped(text: str) -> bool:
    """Whether marks are heaped on a letter, as nobody writes.

    PostgreSQL puts them in order for the index of searches, which takes the square of
    their number: 0.3 s for 8,000, in which nothing can stop it.
    """
    for run in _HIGH.findall(text):
        marks = 0
        for char in run:
            marks = marks + 1 if unicodedata.combining(char) else 0
            if marks > MAX_MARKS:
                return True
    return False


def is_line(text: str) -> bool:
    """Whether a text is one line: no control characters, no line breaks, no NUL."""
    return text.isprintable() or not any(
        unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text
    )
