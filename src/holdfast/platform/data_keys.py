"""Where the keys of personal data are kept: in the database, wrapped.

The key that wraps them is not in the database (``wrapping``). The first process of a
new shop makes the keys; a shop whose wrapping key is lost is refused rather than given
new ones, since what was sealed would be gone.

Every process looks for changes of the keys each ``REREAD_SECONDS``, and at once when it
meets a value whose key it does not know. A new key is therefore added first and used
``KNOWN_AFTER`` later, when nobody can be left who does not know it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
import tink
from asyncpg import UndefinedTableError
from tink import aead, proto_keyset_format, secret_key_access
from tink.proto import tink_pb2

from holdfast.kernel.clock import Clock
from holdfast.platform import background, sql
from holdfast.platform.db import Database, DatabaseUnavailable
from holdfast.platform.dependencies import KEYS, LIMITS
from holdfast.platform.guard import Guard
from holdfast.platform.settings import BadSettings
from holdfast.platform.vault import (
    Vault,
    VaultLocked,
    key_ids,
    new_index_key,
    new_keyset,
    prefix_of,
)
from holdfast.platform.wrapping import (
    KeyServiceFailed,
    Wrapper,
    WrappingKeyWrong,
    shown,
    wrapper_of,
)
from holdfast.resilience.errors import Rejected, TimedOut

__all__ = [
    "KNOWN_AFTER",
    "DataKeys",
    "KeysChanged",
    "Standing",
    "WrappingKeyWrong",
    "followed",
    "open_vault",
    "probe",
    "shown",
]

T = TypeVar("T")

_SQL = sql.load("holdfast.platform")
_DATA_KEYS = _SQL["data_keys"]
_DATA_KEY_STANDING = _SQL["data_key_standing"]
_ADD_DATA_KEY = _SQL["add_data_key"]
_REPLACE_DATA_KEY = _SQL["replace_data_key"]
_NOTE_RESEALED = _SQL["note_resealed"]

_PERSONAL, _INDEX = "personal", "index"

REREAD_SECONDS = 10.0
KEY_SERVICE_SECONDS = 10.0
"""How long the key service may take to wrap or unwrap the keys."""
KNOWN_AFTER = timedelta(seconds=25)
_REREAD_AGAIN_SECONDS = 1.0
_CHANGED = "Somebody else changed the keys at the same time; try again."
_log = structlog.get_logger()


class KeysChanged(BadSettings):
    """Somebody else changed the keys at the same time: nothing was changed here."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the keys and what is sealed under them have come."""

    version: int
    """Counts the changes of the keys."""
    resealed: int
    """The version under which everything was found sealed."""
    settled: bool
    """Whether every process must know this version by now."""

    @property
    def wants_resealing(self) -> bool:
        return self.settled and self.resealed < self.version


class DataKeys:
    """The keys of one shop as this process knows them, and how they change."""

    def __init__(
        self,
        db: Database,
        where: str,
        *,
        guard: Guard | None = None,
        clock: Clock,
    ) -> None:
        """Know nothing yet; *guard* stands around the key service."""
        guard = guard or Guard(KEYS, LIMITS[KEYS])
        self._protect = guard.around(
            timeout_seconds=KEY_SERVICE_SECONDS,
            total_seconds=2 * KEY_SERVICE_SECONDS,
            failures=(KeyServiceFailed,),
            # Its client does not say whether it was reached.
            unreachable=(KeyServiceFailed,),
            again_after=(KeyServiceFailed,),
        )
        self._db = db
        self._where = where
        self._clock = clock
        self._wrapper: Wrapper | None = None
        self._version = 0
        self._wanted = asyncio.Event()
        self.vault = Vault()
        """Locked until ``unlock``."""
        self.vault.on_unknown_key = self._wanted.set

    @classmethod
    async def open(
        cls, db: Database, where: str, *, guard: Guard | None = None, clock: Clock
    ) -> "DataKeys":
        """The keys of a shop, unlocked. *where* is ``HOLDFAST_DATA_KEY``."""
        keys = cls(db, where, guard=guard, clock=clock)
        await keys.unlock()
        return keys

    async def unlock(self) -> None:
        """Fetch the keys; they are made if the shop has none.

        Raises ``WrappingKeyWrong``, or ``DatabaseUnavailable``, which it is for us as
        long as nobody has made the tables.
        """
        try:
            new = not await self._db.fetch(_DATA_KEYS)
        except UndefinedTableError as error:
            raise DatabaseUnavailable from error
        wrapper = await asyncio.to_thread(wrapper_of, self._where, create=new)
        if new:
            made = await self._aside(_new_keys, wrapper)
            async with self._db.transaction() as tx:
                for name, value in made.items():
                    # Another process may have been first: then its keys are the keys.
                    values = (name, value, shown(self._where), self._clock())
                    await tx.execute(_ADD_DATA_KEY, *values)
        self._wrapper = wrapper
        self.vault.use(*await self._read(wrapper))

    async def reread(self) -> bool:
        """Take over what another process changed; returns whether anything was."""
        if self._wrapper is None:
            await self.unlock()
        elif (await self.standing()).version == self._version:
            return False
        else:
            self.vault.use(*await self._read(self._wrapper))
        return True

    async def follow(self) -> None:
        """Reread for ever; what fails is tried again."""
        while True:
            seconds = REREAD_SECONDS if self.vault.is_open else _REREAD_AGAIN_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                if await self.reread():
                    _log.info("data_keys_changed", version=self._version)
            except Exception as error:  # noqa: BLE001 - the next time it may work
                _log.warning("data_keys_not_read", error=str(error))
            # Values under a key that is gone for good must not ask without end.
            await asyncio.sleep(_REREAD_AGAIN_SECONDS)

    async def standing(self, *, clock: Clock | None = None) -> Standing:
        """How far the keys have come."""
        row = await self._db.fetchrow(_DATA_KEY_STANDING, _PERSONAL)
        assert row is not None  # noqa: S101 - the keys were opened
        settled = clock is not None and row["updated_at"] + KNOWN_AFTER <= clock()
        # The first keys are settled from the start: nobody knew others.
        settled = settled or row["version"] == 1
        return Standing(row["version"], row["resealed"], settled)

    async def note_resealed(self, version: int) -> None:
        """Everything was found sealed under the keys of *version*."""
        async with self._db.transaction() as tx:
            await tx.execute(_NOTE_RESEALED, _PERSONAL, version)

    @property
    def waiting_key(self) -> bytes | None:
        """The prefix of a key that was added and is not used yet."""
        newest = prefix_of(key_ids(self.vault.keyset)[-1])
        return None if newest == self.vault.prefix else newest

    async def add(self, *, clock: Clock) -> None:
        """Add a new key that nobody seals with yet."""
        keyset = _clear(self.vault.keyset)
        known = set(key_ids(self.vault.keyset))
        while (fresh := _clear(new_keyset()).key[0]).key_id in known:
            pass
        keyset.key.append(fresh)
        await self._replace(keyset, clock=clock)

    async def use_newest(self, *, clock: Clock) -> None:
        """From now on seal with the key that was added last."""
        keyset = _clear(self.vault.keyset)
        keyset.primary_key_id = keyset.key[-1].key_id
        await self._replace(keyset, clock=clock)

    async def retire(self, in_use: Collection[bytes], *, clock: Clock) -> int:
        """Drop keys that nothing is sealed under; returns how many."""
        keyset = _clear(self.vault.keyset)
        kept = [
            key
            for key in keyset.key
            if key.key_id == keyset.primary_key_id or prefix_of(key.key_id) in in_use
        ]
        dropped = len(keyset.key) - len(kept)
        if dropped:
            del keyset.key[:]
            keyset.key.extend(kept)
            await self._replace(keyset, clock=clock)
        return dropped

    async def wrap_with(self, where: str, *, clock: Clock) -> None:
        """Wrap the same keys by another wrapping key; nothing is sealed anew.

        Processes that were started with the one before go on with the keys they have,
        until they are started again. Raises ``WrappingKeyWrong`` or ``KeysChanged``.
        """
        wrapper = await asyncio.to_thread(wrapper_of, where, create=True)
        keyset, index_key = await self._read(self._unlocked)
        wrapped = await self._aside(_wrapped, keyset, index_key, wrapper)
        async with self._db.transaction() as tx:
            for row in await tx.fetch(_DATA_KEYS):
                name, expected = row["name"], row["version"]
                if name == _PERSONAL:
                    expected = self._version
                values = (name, wrapped[name], shown(where), clock(), expected)
                if await tx.fetchrow(_REPLACE_DATA_KEY, *values) is None:
                    raise KeysChanged(_CHANGED)
        self._wrapper, self._where = wrapper, where
        await self.reread()

    async def _replace(self, keyset: "tink_pb2.Keyset", *, clock: Clock) -> None:
        handle = proto_keyset_format.parse(
            keyset.SerializeToString(), secret_key_access.TOKEN
        )
        wrapped = await self._aside(wrap, handle, self._unlocked)
        values = (_PERSONAL, wrapped, shown(self._where), clock(), self._version)
        async with self._db.transaction() as tx:
            if await tx.fetchrow(_REPLACE_DATA_KEY, *values) is None:
                raise KeysChanged(_CHANGED)
        await self.reread()

    @property
    def _unlocked(self) -> Wrapper:
        if self._wrapper is None:
            raise VaultLocked
        return self._wrapper

    async def _aside(self, work: Callable[..., T], *args: Any, **named: Any) -> T:
        """Do what asks the key service in a thread; ``KeyServiceFailed``."""
        try:
            return await self._protect(partial(asyncio.to_thread, work, *args, **named))
        except (Rejected, TimedOut) as error:
            raise KeyServiceFailed(
                f"The key service {shown(self._where)} does not answer."
            ) from error

    async def _read(self, wrapper: Wrapper) -> tuple["tink.KeysetHandle", bytes]:
        rows = {row["name"]: row for row in await self._db.fetch(_DATA_KEYS)}
        wrapped = {name: row["wrapped"] for name, row in rows.items()}
        keys = await self._aside(_unwrap, wrapper, wrapped)
        self._version = rows[_PERSONAL]["version"]
        return keys


async def open_vault(db: Database, where: str, *, clock: Clock) -> Vault:
    """The vault of a shop, with its keys as they are now; ``WrappingKeyWrong``."""
    return (await DataKeys.open(db, where, clock=clock)).vault


async def probe(db: Database, where: str) -> str:
    """Say whether *where* opens the keys of the shop; makes and changes nothing.

    Raises ``WrappingKeyWrong``.
    """
    wrapped = {row["name"]: row["wrapped"] for row in await db.fetch(_DATA_KEYS)}
    if not wrapped:
        return "no keys yet: the first process makes them"
    wrapper = await asyncio.to_thread(wrapper_of, where)
    await asyncio.to_thread(_unwrap, wrapper, wrapped)
    return "opens the keys"


@asynccontextmanager
async def followed(keys: DataKeys) -> AsyncIterator[Vault]:
    """The vault of *keys*, kept up to date until the end."""
    following = asyncio.create_task(keys.follow(), name="data_keys")
    try:
        yield keys.vault
    finally:
        await background.end(following)


def wrap(keyset: "tink.KeysetHandle", wrapper: Wrapper) -> bytes:
    """A keyset as it is kept."""
    kept: bytes = proto_keyset_format.serialize_encrypted(
        keyset, wrapper, _PERSONAL.encode()
    )
    return kept


def _new_keys(wrapper: Wrapper) -> dict[str, bytes]:
    return _wrapped(new_keyset(), new_index_key(), wrapper)


def _wrapped(
    keyset: "tink.KeysetHandle", index_key: bytes, wrapper: Wrapper
) -> dict[str, bytes]:
    return {
        _PERSONAL: wrap(keyset, wrapper),
        _INDEX: wrapper.encrypt(index_key, _INDEX.encode()),
    }


def _clear(keyset: "tink.KeysetHandle") -> "tink_pb2.Keyset":
    # tink for Python has no way to add a key to a keyset but its wire format.
    return tink_pb2.Keyset.FromString(
        proto_keyset_format.serialize(keyset, secret_key_access.TOKEN)
    )


def _unwrap(
    wrapper: Wrapper, wrapped: dict[str, bytes]
) -> tuple["tink.KeysetHandle", bytes]:
    aead.register()
    try:
        keyset = proto_keyset_format.parse_encrypted(
            wrapped[_PERSONAL], wrapper, _PERSONAL.encode()
        )
        return keyset, wrapper.decrypt(wrapped[_INDEX], _INDEX.encode())
    except tink.TinkError as error:
        raise WrappingKeyWrong(
            "HOLDFAST_DATA_KEY is not the key that this shop's personal data was "
            "sealed under."
        ) from error
