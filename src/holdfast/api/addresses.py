"""Addresses that customers keep: their own, or any for operators."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response
from msgspec import UNSET, UnsetType

from holdfast.api.me import own_id
from holdfast.api.shapes import CountryCode, Text
from holdfast.api.shop import Shop
from holdfast.domain import customers
from holdfast.domain.customers import Address, CustomerAddress
from holdfast.domain.identity import Caller
from holdfast.workflows.customers import AddressChange, Customers

_OWN = "/v1/me/addresses"

PostalCode = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Phone = Annotated[
    str,
    msgspec.Meta(
        min_length=3,
        max_length=64,
        description="Kept as E.164; without + it is a number of the country.",
        examples=["+442079460018"],
    ),
]


class NewAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address to keep; which parts are needed depends on the country."""

    name: Text
    line1: Text
    country: CountryCode
    line2: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postal_code: PostalCode | None = None
    phone: Phone | None = None
    default_shipping: bool = False
    default_billing: bool = False

    @property
    def address(self) -> Address:
        return Address(
            name=self.name,
            line1=self.line1,
            country=self.country,
            line2=self.line2,
            city=self.city,
            region=self.region,
            postal_code=self.postal_code,
            phone=self.phone,
        )


class AddressChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; null clears, what is absent stays."""

    name: Text | UnsetType = UNSET
    line1: Text | UnsetType = UNSET
    country: CountryCode | UnsetType = UNSET
    line2: Text | UnsetType | None = UNSET
    city: Text | UnsetType | None = UNSET
    region: Text | UnsetType | None = UNSET
    postal_code: PostalCode | UnsetType | None = UNSET
    phone: Phone | UnsetType | None = UNSET
    default_shipping: bool | UnsetType = UNSET
    default_billing: bool | UnsetType = UNSET

    @property
    def wanted(self) -> AddressChange:
        return AddressChange(**msgspec.structs.asdict(self))


class AddressView(msgspec.Struct, frozen=True):
    """An address that a customer keeps."""

    id: UUID
    name: str
    line1: str
    line2: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str
    phone: str | None
    default_shipping: bool
    default_billing: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, kept: CustomerAddress) -> "AddressView":
        address = kept.address
        return cls(
            id=kept.id,
            name=address.name,
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            region=address.region,
            postal_code=address.postal_code,
            country=address.country,
            phone=address.phone,
            default_shipping=kept.default_shipping,
            default_billing=kept.default_billing,
            created_at=kept.created_at,
            updated_at=kept.updated_at,
        )


class Addresses(msgspec.Struct, frozen=True):
    """All addresses of a customer, oldest first."""

    items: list[AddressView]


KeptAddress = Annotated[Response[Any], AddressView]


async def browse_own(shop: Shop, caller: Caller) -> Addresses:
    """Your addresses, oldest first; there are at most 50."""
    return await _listed(shop, own_id(caller))


async def show_own(shop: Shop, caller: Caller, address_id: UUID) -> AddressView:
    """One of your addresses."""
    return await show(shop, own_id(caller), address_id)


async def add_own(shop: Shop, caller: Caller, data: NewAddress) -> KeptAddress:
    """Keep an address. A new default takes the place of the one before."""
    return await _add(shop, own_id(caller), data, _OWN)


async def change_own(
    shop: Shop, caller: Caller, address_id: UUID, data: AddressChanges
) -> AddressView:
    """Change one of your addresses."""
    return await change(shop, own_id(caller), address_id, data)


async def remove_own(shop: Shop, caller: Caller, address_id: UUID) -> None:
    """Remove one of your addresses."""
    await remove(shop, own_id(caller), address_id)


async def browse(shop: Shop, account_id: UUID) -> Addresses:
    """The addresses of a customer, oldest first; there are at most 50."""
    await customers.find(shop.db, shop.vault, account_id)
    return await _listed(shop, account_id)


async def show(shop: Shop, account_id: UUID, address_id: UUID) -> AddressView:
    """An address of a customer."""
    return AddressView.of(
        await customers.find_address(shop.db, shop.vault, account_id, address_id)
    )


async def add(shop: Shop, account_id: UUID, data: NewAddress) -> KeptAddress:
    """Keep an address for a customer. A new default replaces the one before."""
    return await _add(shop, account_id, data, f"/v1/customers/{account_id}/addresses")


async def change(
    shop: Shop, account_id: UUID, address_id: UUID, data: AddressChanges
) -> AddressView:
    """Change an address of a customer."""
    changed = await _customers(shop).change_address(account_id, address_id, data.wanted)
    return AddressView.of(changed)


async def remove(shop: Shop, account_id: UUID, address_id: UUID) -> None:
    """Remove an address of a customer."""
    await _customers(shop).remove_address(account_id, address_id)


async def _listed(shop: Shop, account_id: UUID) -> Addresses:
    kept = await customers.addresses_of(shop.db, shop.vault, account_id)
    return Addresses([AddressView.of(address) for address in kept])


async def _add(
    shop: Shop, account_id: UUID, data: NewAddress, path: str
) -> Response[AddressView]:
    kept = await _customers(shop).add_address(
        account_id,
        data.address,
        default_shipping=data.default_shipping,
        default_billing=data.default_billing,
    )
    return Response(AddressView.of(kept), headers={"Location": f"{path}/{kept.id}"})


def _customers(shop: Shop) -> Customers:
    return Customers(shop.db, shop.vault, shop.clock)
