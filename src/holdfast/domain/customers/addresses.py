"""The addresses of customers in PostgreSQL, each sealed as a whole.

A customer has at most one default for shipping and one for billing; setting one
takes it from the other in the same statement. The customer must be locked, which
keeps the limit and the defaults true whoever else writes.
"""

from datetime import datetime
from uuid import UUID

from holdfast.domain.customers.errors import CustomerAddressNotFound, TooManyAddresses
from holdfast.domain.customers.model import MAX_ADDRESSES, Address, CustomerAddress
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.customers")
_ADD_ADDRESS = _SQL["add_address"]
_CHANGE_ADDRESS = _SQL["change_address"]
_REMOVE_ADDRESS = _SQL["remove_address"]
_ADDRESSES = _SQL["addresses"]


async def add_address(
    tx: Transaction, vault: Vault, new: CustomerAddress
) -> CustomerAddress:
    """Keep an address; ``TooManyAddresses``."""
    row = await tx.fetchrow(
        _ADD_ADDRESS,
        new.id,
        new.account_id,
        _seal(vault, new),
        new.default_shipping,
        new.default_billing,
        new.created_at,
        MAX_ADDRESSES,
    )
    if row is None:
        raise TooManyAddresses(MAX_ADDRESSES)
    return _address(vault, row)


async def change_address(
    tx: Transaction, vault: Vault, changed: CustomerAddress, *, at: datetime
) -> CustomerAddress:
    """Write an address of a customer; ``CustomerAddressNotFound``."""
    row = await tx.fetchrow(
        _CHANGE_ADDRESS,
        changed.id,
        changed.account_id,
        _seal(vault, changed),
        changed.default_shipping,
        changed.default_billing,
        at,
    )
    if row is None:
        raise CustomerAddressNotFound(changed.id)
    return _address(vault, row)


async def remove_address(tx: Transaction, account_id: UUID, address_id: UUID) -> None:
    """Forget an address of a customer; ``CustomerAddressNotFound``."""
    if await tx.fetchrow(_REMOVE_ADDRESS, address_id, account_id) is None:
        raise CustomerAddressNotFound(address_id)


async def addresses_of(
    connection: Connection, vault: Vault, account_id: UUID
) -> list[CustomerAddress]:
    """All addresses of a customer, oldest first."""
    rows = await connection.fetch(_ADDRESSES, account_id, None)
    return [_address(vault, row) for row in rows]


async def find_address(
    connection: Connection, vault: Vault, account_id: UUID, address_id: UUID
) -> CustomerAddress:
    """One address, if it is this customer's; else ``CustomerAddressNotFound``."""
    rows = await connection.fetch(_ADDRESSES, account_id, address_id)
    if not rows:
        raise CustomerAddressNotFound(address_id)
    return _address(vault, rows[0])


def _seal(vault: Vault, kept: CustomerAddress) -> bytes:
    return vault.seal_json(kept.address, place=f"customer_addresses:{kept.id}")


def _address(vault: Vault, row: Row) -> CustomerAddress:
    place = f"customer_addresses:{row['id']}"
    return CustomerAddress(
        row["id"],
        row["account_id"],
        vault.open_json(row["sealed"], Address, place=place),
        row["default_shipping"],
        row["default_billing"],
        row["created_at"],
        row["updated_at"],
    )
