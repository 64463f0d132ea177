"""Categories as a tree: where one stands, what is below it, and how it moves.

Whoever moves a category locks the whole tree against other moves: two that are each
right could be a cycle together. Readers wait for nobody.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from holdfast.domain.catalog.errors import (
    CategoryChanged,
    CategoryInvalid,
    CategoryNotEmpty,
    CategoryNotFound,
    DuplicateHandle,
    Fault,
)
from holdfast.domain.catalog.model import Category, Versions
from holdfast.domain.catalog.rules import NewCategory
from holdfast.platform import sql
from holdfast.platform.db import ConstraintViolated, Transaction

_SQL = sql.load("holdfast.domain.catalog")
_LOCK_TREE = _SQL["lock_tree"]
_STAND_UNDER = _SQL["stand_under"]
_LOCK_CATEGORY = _SQL["lock_category"]
_CHANGE_CATEGORY = _SQL["change_category"]
_DELETE_CATEGORY = _SQL["delete_category"]
_PRODUCTS_IN = _SQL["products_in"]

MAX_LEVELS = 10
"""How deep the tree is at the most; people get lost long before."""


async def lock_tree(tx: Transaction) -> None:
    """Wait until nobody else moves categories, and be the only one until the end."""
    await tx.execute(_LOCK_TREE)


async def check_place(
    tx: Transaction, parent_id: UUID | None, *, category_id: UUID | None = None
) -> None:
    """Whether a category may stand there; ``CategoryInvalid`` says why not.

    The tree is locked. None as the category means a new one.
    """
    if parent_id is None:
        return
    row = await tx.fetchrow(_STAND_UNDER, category_id, parent_id)
    assert row is not None  # noqa: S101 - an aggregate always has one row
    if row["parents"] == 0:
        wrong = "does not exist"
    elif row["cycle"]:
        wrong = "must not be the category itself or below it"
    elif row["parents"] + row["height"] > MAX_LEVELS:
        wrong = f"would make the tree deeper than {MAX_LEVELS} levels"
    else:
        return
    raise CategoryInvalid([Fault("/parent", wrong)])


async def lock_category(
    tx: Transaction, category_id: UUID, *, versions: Versions = None
) -> Category:
    """Lock a category that has one of these versions.

    Raises ``CategoryNotFound``, or ``CategoryChanged`` with the version it has.
    """
    row = await tx.fetchrow(_LOCK_CATEGORY, category_id)
    if row is None:
        raise CategoryNotFound
    category = Category(*row)
    if versions is not None and category.version not in versions:
        raise CategoryChanged(category.version)
    return category


async def change_category(
    tx: Transaction, category_id: UUID, wanted: NewCategory, *, at: datetime
) -> Category:
    """Make a locked category what is wanted; ``DuplicateHandle`` if that is taken."""
    try:
        row = await tx.fetchrow(_CHANGE_CATEGORY, category_id, wanted, at)
    except ConstraintViolated as error:
        raise DuplicateHandle(wanted.handle) from error
    assert row is not None  # noqa: S101 - it is locked
    return Category(*row)


async def delete_category(tx: Transaction, category_id: UUID) -> None:
    """Delete a locked category, or raise ``CategoryNotEmpty``."""
    row = await tx.fetchrow(_DELETE_CATEGORY, category_id)
    assert row is not None  # noqa: S101 - an aggregate always has one row
    if row["products"] or row["categories"]:
        raise CategoryNotEmpty(row["products"], row["categories"])


async def products_in(
    tx: Transaction, category_id: UUID, *, after: UUID, limit: int
) -> Sequence[UUID]:
    """Lock products that stand in a category itself, and return their ids in order."""
    rows = await tx.fetch(_PRODUCTS_IN, category_id, after, limit)
    return [row["id"] for row in rows]
