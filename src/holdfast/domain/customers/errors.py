"""What can be wrong with a customer or an address."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.kernel.errors import Conflict, Invalid, NotFound


@dataclass(eq=False)
class CustomerNotFound(NotFound):
    """There is no such customer."""


@dataclass(eq=False)
class CustomerAddressNotFound(NotFound):
    """There is no such address, or it belongs to somebody else."""

    address_id: UUID


@dataclass(eq=False)
class TooManyAddresses(Conflict):
    """The customer keeps as many addresses as a customer may."""

    max_addresses: int


@dataclass(eq=False)
class CustomerAddressInvalid(Invalid):
    """The address lacks what its country needs, or has what it cannot have."""

    errors: list[dict[str, str]]


@dataclass(eq=False)
class ProfileInvalid(Invalid):
    """The profile has a value that cannot be kept."""

    errors: list[dict[str, str]]
