"""Everything that is held of somebody who signs in, for showing it to them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from holdfast.platform import sql
from holdfast.platform.db import Connection, Row
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.accounts")
_EVERY_SESSION_OF = _SQL["every_session_of"]
_HELD_OTHERWISE = _SQL["held_otherwise"]
_ERASED_SINCE = _SQL["erased_since"]


class _Device(msgspec.Struct, frozen=True):
    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class PastSession:
    """A sign-in, ended or not."""

    id: UUID
    kind: str
    client_id: str | None
    methods: list[str]
    authenticated_at: datetime
    address: str | None
    user_agent: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """What an account holds besides itself; of secrets only that there are some."""

    password_changed_at: datetime | None
    second_factor_at: datetime | None
    recovery_codes_left: int
    familiar_places_seen_at: list[datetime]
    # What was asked for by e-mail, and when.
    requests: list[str]
    sessions: list[PastSession]


async def held_of(
    connection: Connection, vault: Vault, account_id: UUID, *, email_index: bytes
) -> Held:
    """What is held of an account that exists."""
    row = await connection.fetchrow(_HELD_OTHERWISE, account_id, email_index)
    assert row is not None  # noqa: S101 - rows of accounts are never deleted
    sessions = await connection.fetch(_EVERY_SESSION_OF, account_id)
    return Held(
        row["password_changed_at"],
        row["second_factor_at"],
        row["recovery_codes_left"],
        list(row["familiar_places_seen_at"]),
        list(row["requests"]),
        [_session(vault, session) for session in sessions],
    )


async def erased_since(connection: Connection, at: datetime) -> list[UUID]:
    """The accounts that were erased after that time, earliest first."""
    return [row["id"] for row in await connection.fetch(_ERASED_SINCE, at)]


def _session(vault: Vault, row: Row) -> PastSession:
    device = _Device()
    if row["sealed"] is not None:
        place = f"sessions:{row['id']}"
        device = vault.open_json(row["sealed"], _Device, place=place)
    return PastSession(
        row["id"],
        row["kind"],
        row["client_id"],
        list(row["methods"]),
        row["authenticated_at"],
        device.address,
        device.user_agent,
        row["created_at"],
        row["seen_at"],
        row["expires_at"],
        row["ended_at"],
        row["end_reason"],
    )
