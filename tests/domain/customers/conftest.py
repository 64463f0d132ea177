"""Accounts for customers to belong to."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from holdfast.kernel.ids import new_id


@pytest.fixture
def an_account(database, vault, clock) -> Callable[[], Awaitable[UUID]]:
    """Put an account into the database, without a profile."""

    async def put() -> UUID:
        account_id = new_id()
        email = f"{account_id}@example.com"
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO accounts (id, status, sealed, email_index, created_at,"
                " updated_at) VALUES ($1, 'active', $2, $3, $4, $4)",
                account_id,
                vault.seal_json({"email": email}, place=f"accounts:{account_id}"),
                vault.index(email, purpose="email"),
                clock(),
            )
        return account_id

    return put
