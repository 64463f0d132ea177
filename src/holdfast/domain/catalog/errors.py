"""What can be wrong with a product, a category or a question about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from holdfast.kernel.errors import MOST_FAULTS, Conflict, Invalid, NotFound, Outdated


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that is broken, and where: a JSON pointer into the request."""

    pointer: str
    detail: str


def first_faults(found: Iterable[Fault]) -> list[Fault]:
    """As many of them as are told; those after them are not even looked for."""
    return list(islice(found, MOST_FAULTS))


@dataclass(eq=False)
class ProductInvalid(Invalid):
    """The product breaks a rule of the catalogue."""

    errors: list[Fault]


@dataclass(eq=False)
class CategoryInvalid(Invalid):
    """The category breaks a rule of the catalogue."""

    errors: list[Fault]


@dataclass(eq=False)
class ProductNotFound(NotFound):
    """There is no such product."""


@dataclass(eq=False)
class VariantNotFound(NotFound):
    """The product has no such variant."""


@dataclass(eq=False)
class ProductInUse(Conflict):
    """The product was sold or kept in stock, and can only be archived."""

    skus: list[str]


@dataclass(eq=False)
class ProductReferenced(Conflict):
    """Attributes of other products refer to this product."""

    product_ids: list[UUID]
    attributes: list[str]


@dataclass(eq=False)
class VariantInUse(Conflict):
    """The variant was sold or kept in stock, and cannot be deleted."""

    sku: str


@dataclass(eq=False)
class LastVariant(Conflict):
    """A product has at least one variant, and this is its last."""


@dataclass(eq=False)
class ProductChanged(Outdated):
    """The product was changed since it was read."""

    version: int


@dataclass(eq=False)
class CategoryNotFound(NotFound):
    """There is no such category."""


@dataclass(eq=False)
class AttributeInvalid(Invalid):
    """The attribute breaks a rule of the catalogue."""

    errors: list[Fault]


@dataclass(eq=False)
class AttributeNotFound(NotFound):
    """There is no such attribute."""


@dataclass(eq=False)
class AttributeChanged(Outdated):
    """The attribute was changed since it was read."""

    version: int


@dataclass(eq=False)
class AttributeInUse(Conflict):
    """Products have values of the attribute that would be no more."""

    values: list[str]
    """The choices they have; empty where the attribute itself was to go."""


@dataclass(eq=False)
class TranslationInvalid(Invalid):
    """The translation breaks a rule of the catalogue."""

    errors: list[Fault]


@dataclass(eq=False)
class TranslationNotFound(NotFound):
    """There is no translation into this language."""


@dataclass(eq=False)
class TooManyTranslations(Conflict):
    """There is no room for another language."""

    most: int


@dataclass(eq=False)
class DuplicateAttribute(Conflict):
    """There is an attribute with this code."""

    code: str


@dataclass(eq=False)
class CategoryChanged(Outdated):
    """The category was changed since it was read."""

    version: int


@dataclass(eq=False)
class CategoryNotEmpty(Conflict):
    """Products or other categories stand in the category."""

    products: int
    categories: int


@dataclass(eq=False)
class DuplicateSku(Conflict):
    """A variant of another product has this SKU."""

    sku: str


@dataclass(eq=False)
class DuplicateHandle(Conflict):
    """Something else in the shop has this handle."""

    handle: str


@dataclass(eq=False)
class CollectionInvalid(Invalid):
    """The collection breaks a rule of the catalogue."""

    errors: list[Fault]


@dataclass(eq=False)
class CollectionNotFound(NotFound):
    """There is no such collection."""


@dataclass(eq=False)
class CollectionChanged(Outdated):
    """The collection was changed since it was read."""

    version: int


@dataclass(eq=False)
class CollectionByRule(Conflict):
    """What is in the collection follows from its rule."""


@dataclass(eq=False)
class NotInCollection(NotFound):
    """The product was not put into the collection."""
