"""One request to the payment provider, and what its failure proves.

A connection that was never made has done nothing, and 429 says so of itself.
Everything else that is no answer (silence, half an answer, nonsense, a 5xx) may have
had its effect. Once one attempt of several may have, no later "nothing happened"
takes that back.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from holdfast.domain.payments.errors import PaymentOutcomeUnknown, PaymentUnavailable
from holdfast.platform import http
from holdfast.resilience.deadline import note_effect
from holdfast.resilience.errors import Rejected, TimedOut


class Protect(Protocol):
    """Policies around one call, retries among them."""

    async def __call__(self, call: Callable[[], Awaitable[Any]], /) -> Any: ...


class NotSent(Exception):
    """The request never left: the provider has not seen it."""


class Unclear(Exception):
    """The provider may have acted, but what it said is no answer."""


class Busy(http.Pushback, Unclear):
    """The provider asks for time (503), and may have acted all the same."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its status and its body."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP


class Line:
    """How the provider is reached."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        *,
        protect: Protect,
        protect_look_up: Protect,
    ) -> None:
        self.session = session
        self.base = base_url.rstrip("/")
        self.protect = protect
        self.protect_look_up = protect_look_up

    async def write(
        self,
        path: str,
        *,
        proper: Callable[[bytes], bool],
        key: str | None = None,
        body: dict[str, Any] | None = None,
    ) -> Said:
        """Send something that may be repeated, because it carries a key.

        Raises ``PaymentUnavailable`` when it is certain that nothing happened, and
        ``PaymentOutcomeUnknown`` when it is not. Gives back refusals (4xx), and
        successes whose body is *proper*.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        maybe_done = False

        async def attempt() -> Said:
            nonlocal maybe_done
            # From here on the request is finished, whoever has left.
            note_effect()
            try:
                said = await self._send("POST", path, json=body, headers=headers)
                if said.status >= 500 or (said.ok and not proper(said.body)):  # noqa: PLR2004 - HTTP
                    raise Unclear(f"the provider answered {said.status}")  # noqa: TRY301 - as silence
            except (NotSent, Rejected):
                raise
            except BaseException:
                maybe_done = True
                raise
            return said

        try:
            said: Said = await self.protect(attempt)
        except (NotSent, Unclear, TimedOut, Rejected) as error:
            if maybe_done:
                raise PaymentOutcomeUnknown from error
            wait = getattr(error, "retry_after_seconds", None)
            raise PaymentUnavailable(wait) from error
        return said

    async def ask(self, path: str, *, quick: bool = False) -> Said:
        """Read something; ``PaymentOutcomeUnknown`` when nobody answers.

        *quick* is for a buyer who has waited already.
        """
        protect = self.protect_look_up if quick else self.protect

        async def attempt() -> Said:
            said = await self._send("GET", path)
            if said.status >= 500:  # noqa: PLR2004 - HTTP
                raise Unclear(f"the provider answered {said.status}")
            return said

        try:
            said: Said = await protect(attempt)
        except (NotSent, Unclear, TimedOut, Rejected) as error:
            raise PaymentOutcomeUnknown from error
        return said

    async def _send(self, method: str, path: str, **kwargs: Any) -> Said:
        try:
            async with self.session.request(
                method, self.base + path, allow_redirects=False, **kwargs
            ) as response:
                if response.status == 429:  # noqa: PLR2004 - HTTP: not done, later
                    raise Rejected(http.wait_announced(response))
                if response.status == 503:  # noqa: PLR2004 - HTTP
                    wait = http.wait_announced(response)
                    if wait is not None:
                        raise Busy(wait)
                return Said(response.status, await http.read(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(str(error)) from error
        except (aiohttp.ClientError, OSError, http.AnswerTooLong) as error:
            raise Unclear(str(error)) from error
