"""Notes that API keys are used, beside the requests that use them.

A request never waits for it, and at most a minute of it is lost: of one key a process
writes once a minute, and at once when the key comes from an address it has not come
from within the hour. When the database is away or too many are being written, the
use is not noted; the next one will be.
"""

from uuid import UUID

from holdfast.api.beside import Beside
from holdfast.api.binding import origin_of
from holdfast.domain.identity import Operator, Origin
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.kernel.errors import Unavailable
from holdfast.platform.db import Database
from holdfast.platform.telemetry import logger
from holdfast.platform.vault import Vault
from holdfast.resilience.asgi import Scope
from holdfast.workflows import keys

WRITTEN_EVERY_SECONDS = 60.0
ADDRESS_REMEMBERED_SECONDS = 3600.0
_MAX_REMEMBERED = 10_000


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
        self._beside = Beside()

    def __len__(self) -> int:
        return len(self._due)

    def note(self, operator: Operator, scope: Scope) -> None:
        """See to it that this use is written down, if it is time again."""
        place = (operator.key_id, scope.get("holdfast.client_address"))
        now = self._timer()
        if self._due.get(operator.key_id, 0) > now and self._due.get(place, 0) > now:
            return
        if not self._beside.has_room:
            return
        if len(self._due) >= self._limit:
            self._due.clear()
        self._due[operator.key_id] = now + WRITTEN_EVERY_SECONDS
        self._due[place] = now + ADDRESS_REMEMBERED_SECONDS
        self._beside.begin(self._write(operator, origin_of(scope)))

    async def close(self) -> None:
        """Wait a moment for what is being written."""
        await self._beside.close()

    async def _write(self, operator: Operator, origin: Origin) -> None:
        try:
            await keys.note_use(
                self._db, self._vault, operator, origin=origin, clock=self._clock
            )
        except Unavailable as error:
            logger().warning("key_use_not_noted", error=type(error).__name__)
