"""Writes down refused credentials, beside the requests that brought them.

Whoever sends what is refused can send it without end, and the record of security must
not grow with that. In an hour a process writes the same thing from the same network
once, ten from one network, and sixty of one kind and reason in all; the next that is
written says how many were not. So made-up keys, of which nobody can make few, do not
keep a key that was revoked out of the record. A request never waits for it, and what
cannot be written at once is only counted.
"""

from collections.abc import Hashable

from holdfast.api.beside import Beside
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.platform.db import Database
from holdfast.platform.proxies import site_of
from holdfast.platform.telemetry import logger
from holdfast.platform.vault import Vault
from holdfast.workflows import refused as workflow
from holdfast.workflows.refused import Refused

COUNTED_SECONDS = 3600.0
SAME, FROM_ONE_NETWORK, IN_ALL = 1, 10, 60
_MAX_REMEMBERED = 10_000


class RefusedCredentials:
    """What this process has written down of late, and how much it has not."""

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
        self._written: dict[Hashable, tuple[float, int]] = {}
        self._unrecorded: dict[tuple[str, str], int] = {}
        self._beside = Beside()

    def __len__(self) -> int:
        return len(self._written)

    def note(self, refused: Refused, origin: Origin) -> None:
        """See to it that this is written down, unless enough was."""
        alike = (refused.kind, refused.reason)
        if not self._beside.has_room or not self._may(refused, origin.address):
            self._unrecorded[alike] = self._unrecorded.get(alike, 0) + 1
            return
        unrecorded = self._unrecorded.pop(alike, 0)
        self._beside.begin(self._write(refused, origin, unrecorded))

    async def close(self) -> None:
        """Wait a moment for what is being written."""
        await self._beside.close()

    def _may(self, refused: Refused, address: str | None) -> bool:
        """Whether one more may be written; counts it if so."""
        now, site = self._timer(), site_of(address)
        alike = (refused.kind, refused.reason)
        limits: tuple[tuple[Hashable, int], ...] = (
            ((refused, site), SAME),
            ((*alike, site), FROM_ONE_NETWORK),
            (alike, IN_ALL),
        )
        counted = []
        for what, most in limits:
            until, count = self._written.get(what, (0.0, 0))
            if until <= now:
                until, count = now + COUNTED_SECONDS, 0
            if count >= most:
                return False
            counted.append((what, (until, count + 1)))
        if len(self._written) >= self._limit:
            self._drop_old(now)
        self._written.update(counted)
        return True

    def _drop_old(self, now: float) -> None:
        # What is written is bounded, so what is remembered of an hour is as well.
        old = [what for what, (until, _) in self._written.items() if until <= now]
        for what in old:
            del self._written[what]

    async def _write(self, refused: Refused, origin: Origin, unrecorded: int) -> None:
        try:
            await workflow.record(
                *(self._db, self._vault, refused),
                unrecorded=unrecorded,
                origin=origin,
                clock=self._clock,
            )
        except Exception as error:  # noqa: BLE001 - the request went its way long ago
            logger().warning("refusal_not_recorded", error=type(error).__name__)
