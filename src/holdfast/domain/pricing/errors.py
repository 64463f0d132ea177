"""What can be wrong with a price, a price list or a group of customers."""

from dataclasses import dataclass

from holdfast.kernel.errors import Conflict, Invalid, NotFound, Outdated


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that is broken, and where: a JSON pointer into the request."""

    pointer: str
    detail: str


@dataclass(eq=False)
class PricesInvalid(Invalid):
    """The prices break a rule, and none of them was set."""

    errors: list[Fault]


@dataclass(eq=False)
class PriceListInvalid(Invalid):
    """The price list breaks a rule."""

    errors: list[Fault]


@dataclass(eq=False)
class PriceNotFound(NotFound):
    """There is no such price."""


@dataclass(eq=False)
class PriceListNotFound(NotFound):
    """There is no such price list."""


@dataclass(eq=False)
class CustomerGroupNotFound(NotFound):
    """There is no such customer group."""


@dataclass(eq=False)
class GroupMemberNotFound(NotFound):
    """There is no such member of the group, or no such account."""


@dataclass(eq=False)
class DuplicatePriceList(Conflict):
    """Another price list has this code."""

    code: str


@dataclass(eq=False)
class DuplicateCustomerGroup(Conflict):
    """Another customer group has this code."""

    code: str


@dataclass(eq=False)
class CustomerGroupInUse(Conflict):
    """A price list is for this group: withdraw the list or change whom it is for."""


@dataclass(eq=False)
class PricesChanged(Outdated):
    """The prices of the variant were changed since they were read."""

    version: int


@dataclass(eq=False)
class PriceListChanged(Outdated):
    """The price list was changed since it was read."""

    version: int


@dataclass(eq=False)
class CustomerGroupChanged(Outdated):
    """The customer group or its members were changed since it was read."""

    version: int
