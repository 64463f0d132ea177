"""Breaks a promise on purpose, to see that it is noticed.

For our own tests: a proof that cannot fail proves nothing.
"""

from holdfast.cli.prove.instance import CannotProve
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret, Settings

_ACTS = {
    # A unit is given away a second time: what an order has been promised is forgotten.
    "reservation": """
        DELETE FROM reservations WHERE ctid = (
            SELECT ctid FROM reservations WHERE expires_at IS NULL LIMIT 1)
    """,
    # An order that somebody was told of disappears.
    "order": """
        DELETE FROM orders WHERE id = (
            SELECT id FROM orders WHERE status = 'confirmed' LIMIT 1)
    """,
    # An order that was paid is written down as one that failed: its money is kept.
    "money": """
        UPDATE orders SET status = 'failed' WHERE id = (
            SELECT id FROM orders WHERE status = 'confirmed' LIMIT 1)
    """,
}
KINDS = tuple(_ACTS)


async def commit(what: str, settings: Settings) -> None:
    """Do it to the database of *settings*."""
    db = await Database.connect(settings.database_url or Secret(""), size=1)
    try:
        async with db.statement() as tx:
            done = await tx.execute(_ACTS[what])
    finally:
        await db.close()
    if done.endswith(" 0"):
        raise CannotProve(f"There was no {what} to tamper with.")
