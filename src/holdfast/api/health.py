"""Whether this process lives, and whether it should be sent requests.

``/livez`` looks at nothing: a process that answers lives, and restarting it would
not mend a database. ``/readyz`` asks PostgreSQL, the schema and the keys of personal
data, without which nothing can be sold, and what everything can be sold without: when
only Redis is gone, or the place where pictures are, or the database cannot tell what
words are alike and searches overlook no typing error, the answer is 200 with status
``degraded``. Each has a second; they run side by side, on a connection of their own, so
that a busy pool does not look like a dead database. The finding is kept for a second:
asking often costs nothing.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Literal

import msgspec
import structlog
from litestar import Response

from holdfast.domain import search
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform import migrate
from holdfast.platform.db import Database
from holdfast.platform.redis import Cache
from holdfast.platform.storage import Storage, StorageUnavailable
from holdfast.platform.vault import Vault

_CHECK_SECONDS = 1.0
_KEPT_SECONDS = 1.0
_DISPENSABLE = {"redis", "search", "pictures"}
_log = structlog.get_logger()


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one thing the shop stands on is doing."""

    status: Literal["ok", "failed", "not_configured"]
    milliseconds: float | None = None
    detail: str | None = None


class Readiness(msgspec.Struct, frozen=True):
    """Whether this process can serve, and what it found."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: dict[str, Check]


class Liveness(msgspec.Struct, frozen=True):
    """This process lives."""

    status: Literal["alive"] = "alive"


class Health:
    """Looks at what the shop stands on, at most once a second."""

    def __init__(
        self,
        db: Database,
        cache: Cache | None,
        vault: Vault,
        storage: Storage | None = None,
        *,
        timer: Monotonic = monotonic,
    ) -> None:
        self._vault = vault
        self._db = db
        self._cache = cache
        self._storage = storage
        self._timer = timer
        self._looking = asyncio.Lock()
        self._found: Readiness | None = None
        self._found_at = 0.0

    async def look(self) -> Readiness:
        """What was found within the last second; looks again if nothing was."""
        async with self._looking:
            if self._found is None or self._timer() - self._found_at > _KEPT_SECONDS:
                self._found = await self._check()
                self._found_at = self._timer()
            return self._found

    async def _check(self) -> Readiness:
        async with asyncio.TaskGroup() as group:
            running = {
                name: group.create_task(self._timed(check))
                for name, check in (
                    ("postgres", self._postgres),
                    ("migrations", self._migrations),
                    ("data_keys", self._data_keys),
                    ("redis", self._redis),
                    ("search", self._search),
                    ("pictures", self._pictures),
                )
            }
        checks = {name: task.result() for name, task in running.items()}
        failed = {name for name, check in checks.items() if check.status == "failed"}
        if failed - _DISPENSABLE:
            return Readiness("unavailable", checks)
        return Readiness("degraded" if failed else "ready", checks)

    async def _timed(self, check: Callable[[], Coroutine[None, None, Check]]) -> Check:
        started = self._timer()
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                found = await check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
            # Addresses and what drivers say are for the log, not for the answer.
            _log.warning("check_failed", check=check.__name__, error=repr(error))
            found = Check("failed", detail="no answer")
        took = round((self._timer() - started) * 1000, 1)
        if found.status == "not_configured":
            return found
        return msgspec.structs.replace(found, milliseconds=took)

    async def _postgres(self) -> Check:
        await self._db.fetchval("SELECT 1")
        return Check("ok")

    async def _migrations(self) -> Check:
        if lacking := await migrate.lacking(self._db):
            return Check("failed", detail=f"{len(lacking)} to be applied")
        return Check("ok")

    async def _data_keys(self) -> Check:
        if not self._vault.is_open:
            return Check("failed", detail="not fetched yet")
        return Check("ok")

    async def _search(self) -> Check:
        if not await search.can_tell_alike(self._db):
            return Check("failed", detail="no pg_trgm: typing errors are not seen")
        return Check("ok")

    async def _pictures(self) -> Check:
        if self._storage is None:
            return Check("not_configured")
        try:
            await self._storage.look()
        except StorageUnavailable as error:
            _log.warning("pictures_not_reached", error=repr(error.__cause__))
            return Check("failed", detail="cannot be kept or read: see their storage")
        return Check("ok")

    async def _redis(self) -> Check:
        if self._cache is None:
            return Check("not_configured")
        await self._cache.ping()
        return Check("ok")


def respond(readiness: Readiness) -> Response[Readiness]:
    """200 if requests may come, 503 if they had better go elsewhere."""
    return Response(
        readiness, status_code=503 if readiness.status == "unavailable" else 200
    )
