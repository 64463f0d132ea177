"""What can be wrong with a product, a category or a question about them."""

from dataclasses import dataclass

from holdfast.kernel.errors import Conflict, Invalid, NotFound, Outdated


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that is broken, and where: a JSON pointer into the request."""

    pointer: str
    detail: str


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
class ProductChanged(Outdated):
    """The product was changed since it was read."""

    version: int


@dataclass(eq=False)
class CategoryNotFound(NotFound):
    """There is no such category."""


@dataclass(eq=False)
class DuplicateSku(Conflict):
    """A variant of another product has this SKU."""

    sku: str


@dataclass(eq=False)
class DuplicateHandle(Conflict):
    """Something else in the shop has this handle."""

    handle: str
