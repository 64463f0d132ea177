"""Accounts to give roles to, and roles of the shop's own."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from holdfast.domain import accounts, identity
from holdfast.domain.identity import Role
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault


@pytest.fixture
def an_account(
    database: Database, vault: Vault, clock: Clock
) -> Callable[..., Awaitable[UUID]]:
    """Put an account with some roles into the shop; returns its id."""

    async def put(*roles: str) -> UUID:
        account_id = new_id()
        async with database.transaction() as tx:
            await accounts.create(
                tx,
                vault,
                account_id=account_id,
                email=f"{account_id}@example.com",
                password=None,
                verified_at=clock(),
                at=clock(),
            )
            for name in roles:
                await identity.grant_role(tx, account_id, name, by="test", at=clock())
        return account_id

    return put


@pytest.fixture
def a_role(database: Database, clock: Clock) -> Callable[..., Awaitable[Role]]:
    """Add a role with some scopes."""

    async def put(name: str = "packers", *scopes: str) -> Role:
        async with database.transaction() as tx:
            return await identity.add_role(
                tx,
                name=name,
                title=name.title(),
                description="",
                scopes=scopes or ["orders:read"],
                at=clock(),
            )

    return put
