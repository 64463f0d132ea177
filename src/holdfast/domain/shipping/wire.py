"""One request to the carrier, and what it said within a bound.

``CarrierFailed`` is whatever is no answer: no connection, nonsense, a 5xx, a 429. The
carrier may have acted or not; who must know asks again under the same key.
"""

from typing import Any, Protocol

import aiohttp

from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform import http
from holdfast.resilience.deadline import note_effect

QUOTE = "rates"
"""The only thing asked with a body that changes nothing."""

_TOO_MANY, _FAILED, _UNAVAILABLE = 429, 500, 503


class Watch(Protocol):
    """Counts a call: what was asked, how it ended, in how many seconds."""

    def __call__(self, operation: str, outcome: str, seconds: float, /) -> None: ...


class CarrierFailed(Exception):
    """The carrier did not give a usable answer."""


class CarrierUnreachable(CarrierFailed):
    """Nobody takes the connection: the carrier has not been asked."""


class ParcelRefused(CarrierFailed):
    """The carrier is well, and does not take this parcel."""


class CarrierBusy(http.Pushback, CarrierFailed):
    """The carrier is well and asks for time."""


class Wire:
    """The carrier's address, and a watch on every call to it."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        *,
        watch: Watch | None = None,
        timer: Monotonic = monotonic,
    ) -> None:
        self._session = session
        self._base = base_url.rstrip("/")
        self._watch = watch
        self._timer = timer

    async def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        limit_bytes: int = http.MAX_ANSWER_BYTES,
        **request: Any,
    ) -> tuple[int, bytes]:
        """The status and body of an answer, refusals included; ``CarrierFailed``."""
        started, outcome = self._timer(), "failed"
        if method == "POST" and operation != QUOTE:
            # From here on the request is finished, whoever has left.
            note_effect()
        try:
            async with self._session.request(
                method, self._base + path, allow_redirects=False, **request
            ) as response:
                status = response.status
                if status in (_TOO_MANY, _UNAVAILABLE):
                    wait = http.wait_announced(response)
                    if wait is not None or status == _TOO_MANY:
                        raise CarrierBusy(wait or 0.0)
                body = await http.read(response, limit_bytes=limit_bytes)
            if status >= _FAILED or 300 <= status < 400:  # noqa: PLR2004 - HTTP
                raise CarrierFailed(f"the carrier answered {status}")
            outcome = "answered" if status < 300 else "refused"  # noqa: PLR2004 - HTTP
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise CarrierUnreachable(str(error) or type(error).__name__) from error
        except (aiohttp.ClientError, OSError, http.AnswerTooLong) as error:
            raise CarrierFailed(str(error) or type(error).__name__) from error
        finally:
            # Also when the time for the call is over, which cancels it.
            if self._watch is not None:
                self._watch(operation, outcome, self._timer() - started)
        return status, body
