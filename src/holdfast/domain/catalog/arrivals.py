"""Products as files have them, and what keeps others out."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from holdfast.domain.catalog.csv_rows import Place
from holdfast.domain.catalog.drafts import Draft
from holdfast.domain.catalog.errors import Fault
from holdfast.domain.catalog.rules import NewCategory


@dataclass(frozen=True, slots=True)
class Arrival:
    """A product as a file has it."""

    draft: Draft
    categories: tuple[NewCategory, ...] = ()
    on_hand: Mapping[str, int] = field(default_factory=dict)
    """Units in stock by SKU, where the file says so."""
    line: int = 0
    """Where it begins in the file."""

    @property
    def source_hash(self) -> bytes:
        """The same for the same product, whatever else stands in the file.

        Stock is not part of it: it changes with every sale.
        """
        texts = msgspec.json.encode((self.draft, self.categories))
        return hashlib.sha256(texts).digest()


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


def category_faults(categories: Sequence[NewCategory]) -> Iterator[Fault]:
    """What is wrong with categories that a product brings with it."""
    for index, category in enumerate(categories):
        for fault in category.faults():
            yield Fault(f"/categories/{index}{fault.pointer}", fault.detail)
