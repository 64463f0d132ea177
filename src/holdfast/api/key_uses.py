"""Notes that API keys are used, beside the requests that use them.

A request never waits for it, and at most a minute of it is lost: of one key a process
writes once a minute, and at once when the key comes from an address it has not come
from within the hour. When the database is away or too many are being written, the
use is not noted; the next one will be.
"""

import asyncio
from uuid import UUID

from holdfast.api.binding import origin_of
from holdfast.domain.identity import Operator, Origin
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.kernel.errors import Unavailable
from holdfast.platform.db import Database
from holdfast.platform.telemetry import logger
from holdfast.platform.vault import Vault
from holdfast.resilience import deadline
from holdfast.resilience.asgi import Scope
from holdfast.workflows import keys

WRITTEN_EVERY_SECONDS = 60.0
ADDRESS_REMEMBERED_SECONDS = 3600.0
_MAX_REMEMBERED = 10_000
_AT_ONCE = 2
_CLOSE_SECONDS = 2.0


class KeyUses:
    """Which keys were used of late, as this process has written down."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        *,
        clock: Clock,
        timer: Monotonic = monotonic,
        limit: int = _MAX_REMEMBERED,
    ) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._timer = timer
        self._limit = limit
        self._due: dict[UUID | tuple[UUID, str | None], float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._due)

    def note(self, operator: Operator, scope: Scope) -> None:
        """See to it that this use is written down, if it is time again."""
        place = (operator.key_id, scope.get("holdfast.client_address"))
        now = self._timer()
        if self._due.get(operator.key_id, 0) > now and self._due.get(place, 0) > now:
            return
        if len(self._writing) >= _AT_ONCE:
            return
        if len(self._due) >= self._limit:
            self._due.clear()
        self._due[operator.key_id] = now + WRITTEN_EVERY_SECONDS
        self._due[place] = now + ADDRESS_REMEMBERED_SECONDS
        # It outlives the request, and its time.
        task = asyncio.get_running_loop().create_task(
            self._write(operator, origin_of(scope)), context=deadline.apart()
        )
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Wait a moment for what is being written."""
        if self._writing:
            _, late = await asyncio.wait(set(self._writing), timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _write(self, operator: Operator, origin: Origin) -> None:
        try:
            await keys.note_use(
                self._db, self._vault, operator, origin=origin, clock=self._clock
            )
        except Unavailable as error:
            logger().warning("key_use_not_noted", error=type(error).__name__)
