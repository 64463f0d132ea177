"""Products as a shop tells them, and the rules they keep.

A ``Draft`` is what somebody wants a product to be; ``problems`` says what is
wrong with it, all at once. A ``Product`` is what a client reads. Handles are
the words in a product's address: lower case, no accents, no punctuation, and
never the shape of an id, because both are accepted in the same place.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

import msgspec

from holdfast.kernel.money import Money

MAX_VARIANTS = 2_000
MAX_OPTIONS = 3
MAX_TAGS = 250
MAX_IMAGES = 250
MAX_CATEGORIES = 50
MAX_TEXT = 255
MAX_DESCRIPTION = 65_535
MAX_URL = 2_048
MAX_WEIGHT_GRAMS = 10**9
"""A thousand tonnes: more than any carrier takes, less than any sum overflows."""

Status: TypeAlias = Literal["draft", "active", "archived"]
STATUSES: tuple[Status, ...] = get_args(Status)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """What somebody wants a variant to be."""

    sku: str
    price: Money
    options: Mapping[str, str]
    compare_at_price: Money | None = None
    weight_grams: int = 0
    barcode: str | None = None

    @property
    def title(self) -> str:
        """``S / Blue``; empty when there is nothing to choose."""
        return " / ".join(self.options.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants a product to be."""

    handle: str
    title: str
    variants: tuple[VariantDraft, ...]
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    status: Status = "draft"
    tags: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    images: tuple[Image, ...] = ()
    categories: tuple[str, ...] = ()
    """Handles."""


# Accents on Latin, Greek and Cyrillic letters. Marks of other scripts carry
# vowels, without which a word is another word.
_ACCENT = re.compile(r"[\u0300-\u036f]")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def fold(text: str) -> str:
    """Take accents and case away: ``Crème BRÛLÉE`` -> ``creme brulee``."""
    bare = _ACCENT.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare).casefold()


def slugify(text: str) -> str:
    """Make a handle of a title; empty when it has no letter and no digit."""
    kept = (c if _is_word(c) else "-" for c in fold(text).replace("'", ""))
    return "-".join(filter(None, "".join(kept).split("-")))[:MAX_TEXT].rstrip("-")


def _is_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def is_handle(text: str) -> bool:
    """Whether *text* could be a handle; what cannot is in no table either."""
    return bool(text) and slugify(text) == text and not _UUID.fullmatch(text)


def parse_id(text: str) -> UUID | None:
    """Read an id in its canonical form; None for anything else."""
    return UUID(text) if len(text) == 36 and _UUID.fullmatch(text) else None  # noqa: PLR2004 - a UUID has 36 characters


def is_plain(text: str) -> bool:
    """Whether a one-line text holds no control character (NUL, line break...)."""
    return text.isprintable() or not any(
        unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text
    )
