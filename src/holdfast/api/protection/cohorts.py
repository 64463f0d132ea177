"""In which order requests are shed: by their route's tier, then by who asks.

Who asks is whoever the credentials belong to, unseen: this is asked before anybody
looks them up. A request without any is its address. Made-up credentials gain a place in
another cohort of the same tier, by luck: what the cohorts are is drawn anew each hour,
with a secret of the deployment.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from holdfast.api.policy import Priority
from holdfast.kernel.clock import Clock
from holdfast.platform.settings import Settings
from holdfast.resilience.load import COHORTS, cohort_of

_HOUR: Final = 3600
# Between two looks a flood adds some thousands; of 60 bytes each.
_MOST_KNOWN: Final = 8_192
EXEMPT = Priority.EXEMPT * COHORTS
"""The level of what is never shed."""


class Cohorts:
    """The levels of requests in this hour."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._seconds = clock().timestamp()
        self._hour = self._seconds // _HOUR
        self._of_address: dict[str, int] = {}

    def turn(self) -> None:
        """Take notice of the time; asked for each request it would be costly."""
        self._seconds = self._clock().timestamp()
        hour = self._seconds // _HOUR
        if hour != self._hour or len(self._of_address) > _MOST_KNOWN:
            self._hour = hour
            self._of_address.clear()

    def level(
        self,
        priority: Priority,
        headers: Iterable[tuple[bytes, bytes]],
        address: str | None,
    ) -> int:
        """``tier * 128 + cohort``; the highest is shed first."""
        if priority < 0:
            return EXEMPT
        for name, value in headers:
            if name == b"authorization":
                cohort = cohort_of(value, self._seconds, self._key)
                return priority * COHORTS + cohort
        address = address or ""
        known = self._of_address.get(address)
        if known is None:
            principal = address.encode("latin-1", "replace")
            known = cohort_of(principal, self._seconds, self._key)
            self._of_address[address] = known
        return priority * COHORTS + known


def key_of(settings: Settings) -> bytes:
    """The same in every process of a deployment, and known to nobody outside."""
    secrets = f"{settings.data_key} {settings.database_url}"
    return sha256(b"holdfast cohorts" + secrets.encode()).digest()
