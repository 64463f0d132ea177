"""The payment provider over HTTP.

Each charge carries a key (the order's id), so it may be sent again: the provider
charges once a key. What matters after a failure is whether the provider may
have acted. A connection that was never made is certain to have done nothing.
Everything else (no answer, half an answer, nonsense, a 5xx) is not, and then only
the provider knows: ``settle`` asks by key, and cancels the key when the charge
never arrived, so that a late request cannot charge an order given up on.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, Protocol

import aiohttp
import msgspec

from holdfast.domain.payments.errors import (
    PaymentOutcomeUnknown,
    PaymentUnavailable,
    UnknownPaymentMethod,
)
from holdfast.domain.payments.model import NOTHING_DUE, Captured, Declined, Outcome
from holdfast.kernel.money import Money
from holdfast.platform import http
from holdfast.resilience.errors import Rejected, TimedOut


class Protect(Protocol):
    """Policies around one call, retries among them."""

    async def __call__(self, call: Callable[[], Awaitable[Any]], /) -> Any: ...


class NotSent(Exception):
    """The request never left: the provider has not seen it."""


class Unclear(Exception):
    """The provider may have acted, but what it said is no answer."""


# What PostgreSQL can store: a charge that we could not write down would stay
# pending for ever.
_Text = Annotated[str, msgspec.Meta(max_length=255, pattern="^[^\\x00]*$")]


class _Charge(msgspec.Struct):
    id: _Text
    key: str
    status: Literal["captured", "declined", "canceled"]
    amount: int
    currency: str
    decline_reason: _Text | None = None


_charge = msgspec.json.Decoder(_Charge)


class Provider:
    """A payment provider that speaks the simulator's protocol."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        *,
        protect: Protect,
        protect_look_up: Protect,
    ) -> None:
        self._session = session
        self._base = base_url.rstrip("/")
        self._protect = protect
        self._protect_look_up = protect_look_up

    async def charge(
        self, *, key: str, amount: Money, method: str, reference: str
    ) -> Outcome:
        """Charge once a key; nothing due is paid without asking.

        Raises ``PaymentUnavailable`` when it is certain that nothing happened,
        ``PaymentOutcomeUnknown`` when it is not, ``UnknownPaymentMethod`` when
        the provider refuses the method without charging.
        """
        if amount.amount == 0:
            return NOTHING_DUE
        body = {
            "amount": amount.amount,
            "currency": amount.currency,
            "payment_method": method,
            "reference": reference,
        }
        # Once one attempt may have reached the provider, no later "not sent" can
        # take that back.
        maybe_sent = False

        async def attempt() -> tuple[int, bytes]:
            nonlocal maybe_sent
            try:
                status, answer = await self._send(
                    "POST", "/v1/charges", json=body, headers={"Idempotency-Key": key}
                )
            except NotSent:
                raise
            except BaseException:
                maybe_sent = True
                raise
            if status >= 500 or (status < 300 and not _is_charge(answer)):  # noqa: PLR2004 - HTTP
                maybe_sent = True
                raise Unclear(f"the provider answered {status}")
            return status, answer

        try:
            status, answer = await self._protect(attempt)
        except (NotSent, Unclear, TimedOut, Rejected) as error:
            if maybe_sent:
                return await self._look_up(key, amount)
            raise PaymentUnavailable from error
        if status == 400:  # noqa: PLR2004 - HTTP: the method, all else is ours
            raise UnknownPaymentMethod(method)
        if status >= 300:  # noqa: PLR2004 - HTTP
            raise PaymentOutcomeUnknown
        return _outcome(answer, key, amount)

    async def _look_up(self, key: str, amount: Money) -> Outcome:
        """Ask once what became of a charge that may have arrived.

        An answer lost on its way back is found here, and the buyer is told the
        truth at once. Nothing found is no answer: it may still be under way.
        """
        try:
            path = f"/v1/charges/by-key/{key}"
            status, answer = await self._protect_look_up(
                lambda: self._send("GET", path)
            )
        except (NotSent, Unclear, TimedOut, Rejected) as error:
            raise PaymentOutcomeUnknown from error
        if status >= 300 or not _is_charge(answer):  # noqa: PLR2004 - HTTP
            raise PaymentOutcomeUnknown
        return _outcome(answer, key, amount)

    async def settle(self, *, key: str, amount: Money) -> Outcome:
        """Find out what became of a charge, and see to it that nothing will.

        A charge the provider has never seen is cancelled by its key before this
        says ``Declined``. Raises ``PaymentOutcomeUnknown`` when the provider
        does not answer.
        """
        if amount.amount == 0:
            return NOTHING_DUE
        status, answer = await self._ask("GET", f"/v1/charges/by-key/{key}")
        if status == 404:  # noqa: PLR2004 - HTTP
            path = f"/v1/charges/by-key/{key}/cancel"
            status, answer = await self._ask("POST", path)
        if status >= 300 or not _is_charge(answer):  # noqa: PLR2004 - HTTP
            raise PaymentOutcomeUnknown
        return _outcome(answer, key, amount)

    async def _ask(self, method: str, path: str) -> tuple[int, bytes]:
        try:
            result: tuple[int, bytes] = await self._protect(
                lambda: self._send(method, path)
            )
        except (NotSent, Unclear, TimedOut, Rejected) as error:
            raise PaymentOutcomeUnknown from error
        return result

    async def _send(self, method: str, path: str, **kwargs: Any) -> tuple[int, bytes]:
        try:
            async with self._session.request(
                method, self._base + path, allow_redirects=False, **kwargs
            ) as response:
                return response.status, await http.read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(str(error)) from error
        except (aiohttp.ClientError, OSError, http.AnswerTooLong) as error:
            raise Unclear(str(error)) from error


def _is_charge(answer: bytes) -> bool:
    try:
        _charge.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _outcome(answer: bytes, key: str, amount: Money) -> Outcome:
    charge = _charge.decode(answer)
    if charge.key != key:
        raise PaymentOutcomeUnknown
    if charge.status != "captured":
        return Declined(charge.decline_reason or charge.status)
    if Money(charge.amount, charge.currency) != amount:
        # Somebody captured another amount under our key. Neither paid nor failed
        # would be true; it stays pending until a person has looked.
        raise PaymentOutcomeUnknown
    return Captured(charge.id)
