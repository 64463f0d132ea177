"""What operators tell each other about an order; its buyer reads it in an export only.

Sealed, because people write names and telephone numbers into such things; deleted
when the buyer is erased.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from holdfast.kernel.ids import new_id
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_ADD_NOTE = _SQL["add_note"]
_NOTES = _SQL["notes"]
_NOTES_OF_ACCOUNT = _SQL["notes_of_account"]
_FORGET_NOTES = _SQL["forget_notes"]

MAX_NOTE_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class Note:
    """One remark, and who made it."""

    id: UUID
    order_id: UUID
    text: str
    actor: str
    created_at: datetime


class _Sealed(msgspec.Struct, frozen=True):
    text: str


async def add_note(
    tx: Transaction,
    vault: Vault,
    order_id: UUID,
    text: str,
    *,
    actor: str,
    at: datetime,
) -> Note | None:
    """Write a note, and into the order's record that there is one; None without one."""
    note = Note(new_id(), order_id, text, actor, at)
    sealed = vault.seal_json(_Sealed(text), place=_place(note.id))
    row = await tx.fetchrow(_ADD_NOTE, note.id, order_id, sealed, actor, at)
    return None if row is None else note


async def notes_of(connection: Connection, vault: Vault, order_id: UUID) -> list[Note]:
    """The notes of an order, oldest first."""
    rows = await connection.fetch(_NOTES, order_id)
    return [_note(vault, row) for row in rows]


async def notes_of_account(
    connection: Connection, vault: Vault, account_id: UUID
) -> list[Note]:
    """The notes of all orders of an account, oldest first."""
    rows = await connection.fetch(_NOTES_OF_ACCOUNT, account_id)
    return [_note(vault, row) for row in rows]


async def forget_notes(tx: Transaction, account_id: UUID) -> int:
    """Delete the notes of all orders of an account; returns how many."""
    return len(await tx.fetch(_FORGET_NOTES, account_id))


def _note(vault: Vault, row: Row) -> Note:
    said = vault.open_json(row["sealed"], _Sealed, place=_place(row["id"]))
    return Note(row["id"], row["order_id"], said.text, row["actor"], row["created_at"])


def _place(note_id: UUID) -> str:
    return f"order_notes:{note_id}"
