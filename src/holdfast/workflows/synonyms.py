"""Saying, and no longer saying, what else people mean by a word."""

from uuid import UUID

from holdfast.domain import search
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database


async def add(
    db: Database, wanted: search.NewSynonyms, *, clock: Clock
) -> search.Synonyms:
    """Add synonyms; ``SynonymsInvalid`` if a term has no word or too many."""
    async with db.transaction() as tx:
        return await search.add_synonyms(tx, wanted, at=clock())


async def remove(db: Database, synonyms_id: UUID) -> None:
    """Remove synonyms; ``SynonymsNotFound`` if there are none."""
    async with db.transaction() as tx:
        await search.remove_synonyms(tx, synonyms_id)
