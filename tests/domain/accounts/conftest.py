"""Accounts to sign in to, as rows and no more."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import pytest

from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault

ARow = Callable[[], Awaitable[UUID]]


@pytest.fixture
def an_account_row(
    database: Database, vault: Vault, clock: Callable[[], datetime]
) -> ARow:
    """Put an account into the table; returns its id."""

    async def put() -> UUID:
        account_id = new_id()
        email = f"{account_id}@example.com"
        await database.fetch(
            "INSERT INTO accounts"
            " (id, status, sealed, email_index, created_at, updated_at)"
            " VALUES ($1, 'active', $2, $3, $4, $4)",
            account_id,
            vault.seal_json({"email": email}, place=f"accounts:{account_id}"),
            vault.index(email, purpose="email"),
            clock(),
        )
        return account_id

    return put


@pytest.fixture
async def an_account_id(an_account_row: ARow) -> UUID:
    return await an_account_row()


@pytest.fixture
async def another_account_id(an_account_row: ARow) -> UUID:
    return await an_account_row()
