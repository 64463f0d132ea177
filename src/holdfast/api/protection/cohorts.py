"""In which order requests are shed: by their route's tier, then by who asks.

Who asks is whoever the credentials belong to, unseen: this is asked before anybody
looks them up. A request without any is its address. Made-up credentials gain a place in
another cohort of the same tier, by luck: what the cohorts are is drawn anew each hour,
with a secret of the deployment.
"""

from collections.abc import Iterable
from hashlib import sha256

from holdfast.api.policy import Priority
from holdfast.kernel.clock import Clock
from holdfast.platform.settings import Settings
from holdfast.resilience.load import COHORTS, cohort_of

EXEMPT = Priority.EXEMPT * COHORTS
"""The level of what is never shed."""


class Cohorts:
    """The levels of requests in this hour."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._seconds = clock().timestamp()

    def turn(self) -> None:
        """Take notice of the time; asked for each request it would be costly."""
        self._seconds = self._clock().timestamp()

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
                principal = value
                break
        else:
            principal = (address or "").encode("latin-1", "replace")
        return priority * COHORTS + cohort_of(principal, self._seconds, self._key)


def key_of(settings: Settings) -> bytes:
    """The same in every process of a deployment, and known to nobody outside."""
    secrets = f"{settings.data_key} {settings.database_url}"
    return sha256(b"holdfast cohorts" + secrets.encode()).digest()
