"""Products as files have them, and what keeps others out."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from holdfast.domain.catalog.csv_rows import Place
from holdfast.domain.catalog.drafts import Draft
from holdfast.domain.catalog.errors import Fault
from holdfast.domain.catalog.model import slugify
from holdfast.domain.catalog.rules import NewCategory
from holdfast.domain.catalog.translations import ProductTexts
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money


@dataclass(frozen=True, slots=True)
class OtherPrice:
    """A price of a variant beside its own: in another currency, from a quantity on."""

    price: Money
    compare_at_price: Money | None = None
    min_quantity: int = 1
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def is_over(self, at: datetime) -> bool:
        """Whether its time has come to an end; one that could never begin has none."""
        starts, ends = self.starts_at, self.ends_at
        return ends is not None and ends <= at and (starts is None or starts < ends)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A product as a file has it."""

    draft: Draft
    categories: tuple[NewCategory, ...] = ()
    """Those it stands in and those above them, to be made where there is none."""
    on_hand: Mapping[str, int] = field(default_factory=dict)
    """Units in stock by SKU, where the file says so."""
    line: int = 0
    """Where it begins in the file."""
    is_checked: bool = False
    """Whether the draft is cleaned and without faults, as what is read from a file."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """By the handles of categories the handle of that in which each stands, if any."""
    shown: Mapping[str, int] = field(default_factory=dict)
    """By SKU, which of the product's images shows the variant, from 1."""
    prices: Mapping[str, Sequence[OtherPrice]] = field(default_factory=dict)
    """By SKU, the prices that it has beside its own."""
    texts: Mapping[str, ProductTexts] = field(default_factory=dict)
    """What it is called in other languages, by their tags; its images by place."""
    related: tuple[str, ...] | None = None
    """Handles of the products it is related to; None if the file does not say."""
    is_lossy: bool = False
    """Whether its format does not say all that a product can be (Shopify's CSV)."""
    collections: tuple[str, ...] | None = None
    """Names of categories as a lossy format says them; None if it does not."""
    says_currency: bool = True
    """Whether the file says of each price in which currency it is."""

    @property
    def source_hash(self) -> bytes:
        """The same for the same product, whatever else stands in the file.

        Stock is not part of it: it changes with every sale.
        """
        said: tuple[object, ...] = (self.draft, self.categories)
        if self.parents or self.shown or self.prices:
            said += (self.parents, self.shown, self.prices)
        if self.texts or self.related is not None:
            said += (self.texts, self.related)
        return hashlib.sha256(msgspec.json.encode(said)).digest()

    def pictured(self, draft: Draft) -> Draft:
        """The draft, made of this one, with the images that something names.

        Those that show its variants, and those that are translated.
        """
        if not self.shown and not any(said.images for said in self.texts.values()):
            return draft
        images = [
            image if image.id else msgspec.structs.replace(image, id=new_id())
            for image in draft.images
        ]
        variants = tuple(
            replace(one, image_id=images[self.shown[one.sku] - 1].id)
            if one.sku in self.shown
            else one
            for one in draft.variants
        )
        return replace(draft, images=tuple(images), variants=variants)


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that keeps its product out."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Portion:
    """What one product's part of a file has come to."""

    faults: tuple[RowFault, ...]
    arrival: Arrival | None
    handle: str
    """As the file has it; it may be anything."""
    end: Place
    """Where the part of the next one begins."""
    line: int = 0
    """Where a product begins that may go on elsewhere, if the file can have such."""

    @property
    def begun(self) -> tuple[str, int] | None:
        """A product of which no other part may come behind it, and its line."""
        if self.arrival is not None:
            return self.arrival.draft.handle, self.arrival.line
        handle = slugify(self.handle) if self.line else ""
        return (handle, self.line) if handle else None


def category_faults(categories: Sequence[NewCategory]) -> Iterator[Fault]:
    """What is wrong with categories that a product brings with it."""
    for index, category in enumerate(categories):
        for fault in category.faults():
            yield Fault(f"/categories/{index}{fault.pointer}", fault.detail)
