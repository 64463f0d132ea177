"""Notes on orders, for the people of the shop."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from holdfast.api.shapes import invalid
from holdfast.api.shop import Shop
from holdfast.domain import ordering
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import MAX_NOTE_CHARACTERS, Note
from holdfast.workflows import order_notes


class NewNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to write down about an order."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NOTE_CHARACTERS)]


class NoteView(msgspec.Struct, frozen=True):
    """A note about an order; its buyer does not see it."""

    id: UUID
    text: str
    actor: str
    created_at: datetime

    @classmethod
    def of(cls, note: Note) -> "NoteView":
        return cls(note.id, note.text, note.actor, note.created_at)


class Notes(msgspec.Struct, frozen=True):
    """The notes about an order, oldest first."""

    items: list[NoteView]


async def browse(shop: Shop, order_id: UUID) -> Notes:
    """The notes about an order, oldest first; for the people of the shop alone."""
    await ordering.find(shop.db, shop.vault, order_id)
    found = await ordering.notes_of(shop.db, shop.vault, order_id)
    return Notes([NoteView.of(note) for note in found])


async def create(shop: Shop, caller: Caller, order_id: UUID, data: NewNote) -> NoteView:
    """Write a note about an order. It is kept encrypted, and never changed."""
    if not data.text.strip():
        raise invalid("/text", "Is blank")
    note = await order_notes.add(
        *(order_id, data.text),
        db=shop.db,
        vault=shop.vault,
        caller=caller,
        clock=shop.clock,
    )
    return NoteView.of(note)
