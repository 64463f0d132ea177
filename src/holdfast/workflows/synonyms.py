"""Saying, saying otherwise and no longer saying what else people mean by a word."""

from uuid import UUID

from holdfast.domain import search
from holdfast.kernel.clock import Clock
from holdfast.kernel.versions import Versions
from holdfast.platform.db import Database


async def add(
    db: Database, wanted: search.NewSynonyms, *, clock: Clock
) -> search.Synonyms:
    """Add synonyms; ``SynonymsInvalid`` if a term has no word or too many."""
    async with db.transaction() as tx:
        return await search.add_synonyms(tx, wanted, at=clock())


async def change(
    db: Database, synonyms_id: UUID, wanted: search.NewSynonyms, *, versions: Versions
) -> search.Synonyms:
    """Put others in the place of synonyms.

    ``SynonymsInvalid``, ``SynonymsNotFound`` or ``SynonymsChanged``.
    """
    async with db.transaction() as tx:
        await search.lock_synonyms(tx, synonyms_id, versions=versions)
        return await search.change_synonyms(tx, synonyms_id, wanted)


async def remove(db: Database, synonyms_id: UUID, *, versions: Versions) -> None:
    """Remove synonyms; ``SynonymsNotFound`` or ``SynonymsChanged``."""
    async with db.transaction() as tx:
        await search.lock_synonyms(tx, synonyms_id, versions=versions)
        await search.remove_synonyms(tx, synonyms_id)
