"""Rotating the keys of personal data, and sealing everything under the newest.

1. A new key is added to the keyset; nobody uses it yet.
2. ``KNOWN_AFTER`` later every process knows it, and it is used from then on.
3. As much later nobody uses the one before any more, and the worker seals every row
   anew that is under it. It can be killed at any time: what is done is done.
4. ``retire`` drops keys that nothing is sealed under.

``COLUMNS`` is the whole list of what is sealed; a test compares it with the schema.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import structlog

from holdfast.domain import (
    accounts,
    customers,
    identity,
    inventory,
    notifications,
    oauth,
    ordering,
)
from holdfast.kernel.clock import Clock
from holdfast.platform import idempotency, resealing
from holdfast.platform.data_keys import DataKeys, KeysChanged
from holdfast.platform.db import Database
from holdfast.platform.resealing import Sealed

COLUMNS: tuple[Sealed, ...] = (
    *ordering.SEALED,
    *notifications.SEALED,
    *accounts.SEALED,
    *customers.SEALED,
    *oauth.SEALED,
    *identity.SEALED,
    *inventory.SEALED,
    *idempotency.SEALED,
)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of one sealed column are where."""

    name: str
    newest: int
    """Sealed under the key in use."""
    older: int
    clear: int
    """From before the vault."""

    @property
    def left(self) -> int:
        return self.older + self.clear


@dataclass(frozen=True, slots=True)
class Progress:
    """How far sealing under the newest key has come."""

    rows: tuple[Rows, ...]
    in_use: frozenset[bytes]
    """The prefixes that are found in the database."""

    @property
    def left(self) -> int:
        return sum(rows.left for rows in self.rows)


async def progress(db: Database, keys: DataKeys) -> Progress:
    """Count every sealed row; reads all of every table."""
    newest = keys.vault.prefix
    found = await resealing.count(db)
    by_name: dict[str, dict[bytes | None, int]] = defaultdict(dict)
    for counted in found:
        by_name[counted.name][counted.prefix] = counted.rows
    rows = []
    for column in COLUMNS:
        counts = by_name[column.name]
        clear, now = counts.pop(None, 0), counts.pop(newest, 0)
        rows.append(Rows(column.name, now, sum(counts.values()), clear))
    prefixes = (counted.prefix for counted in found)
    return Progress(tuple(rows), frozenset(p for p in prefixes if p is not None))


async def begin(keys: DataKeys, *, clock: Clock) -> None:
    """Step 1, unless a rotation that was cut short has done it."""
    if keys.waiting_key is None:
        await keys.add(clock=clock)


async def use_newest(keys: DataKeys, *, clock: Clock) -> None:
    """Step 2; not before ``KNOWN_AFTER`` has passed."""
    await keys.use_newest(clock=clock)


async def retire(db: Database, keys: DataKeys, *, clock: Clock) -> int:
    """Step 4; returns how many keys were dropped.

    Raises ``KeysChanged`` while some process may still use the key before.
    """
    if not (await keys.standing(clock=clock)).settled:
        raise KeysChanged(
            "The keys have just changed; try again in half a minute, when every "
            "process knows it."
        )
    in_use = (await progress(db, keys)).in_use
    waiting = keys.waiting_key
    kept = in_use if waiting is None else in_use | {waiting}
    return await keys.retire(kept, clock=clock)


@dataclass
class Resealing:
    """Step 3: what the worker does about it, turn by turn."""

    db: Database
    keys: DataKeys
    clock: Clock
    # An older release that ran until now may have left rows in clear behind us.
    _looked: bool = field(default=False, init=False)

    async def turn(self) -> int:
        """Seal anew whatever has to be; returns how many rows.

        Without a rotation this is one look at one row.
        """
        standing = await self.keys.standing(clock=self.clock)
        if not standing.wants_resealing and (self._looked or not standing.settled):
            return 0
        await self.keys.reread()
        done = 0
        for column in COLUMNS:
            after: str | None = None
            while batch := await resealing.reseal(
                self.db, self.keys.vault, column, after=after
            ):
                after = batch.after
                done += batch.done
        left = (await progress(self.db, self.keys)).left
        if left == 0:
            await self.keys.note_resealed(standing.version)
            self._looked = True
        else:
            # Rows that somebody held, or that do not open; the next turn tries again.
            _log.info("not_resealed_yet", rows=left)
        return done
