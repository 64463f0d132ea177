"""The payment provider over HTTP.

Each charge and each refund carries a key (the id of our row), so it may be sent again:
the provider acts once a key. What matters after a failure is whether the provider may
have acted (``line.py``). Where it may have, only the provider knows: ``settle`` and
``settle_refund`` ask by key, and cancel the key of what never arrived, so that a late
request cannot move money for something given up on.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import aiohttp

from holdfast.domain.payments import wire
from holdfast.domain.payments.errors import (
    PaymentOutcomeUnknown,
    PaymentUnavailable,
    UnknownPaymentMethod,
)
from holdfast.domain.payments.line import Line, Protect, Said
from holdfast.domain.payments.model import (
    NOTHING_DUE,
    ActionRequired,
    Authorized,
    Captured,
    Charge,
    ChargeRefund,
    Declined,
    Outcome,
    RefundFailed,
    RefundOutcome,
    RefundPending,
    RefundSucceeded,
    Voided,
)
from holdfast.kernel.clock import Monotonic, monotonic, rfc3339
from holdfast.kernel.money import Money
from holdfast.kernel.page import Page

T = TypeVar("T")

PAGE = 100

Observe: TypeAlias = Callable[[str, str, float], None]
"""Told of each call: the operation, its outcome in a word, and its seconds."""

_WORDS: dict[type, str] = {
    Captured: "captured",
    Authorized: "authorized",
    ActionRequired: "requires_action",
    Declined: "declined",
    Voided: "voided",
    RefundSucceeded: "succeeded",
    RefundPending: "pending",
    RefundFailed: "failed",
    PaymentUnavailable: "unavailable",
    PaymentOutcomeUnknown: "unknown",
    UnknownPaymentMethod: "unknown_method",
}
# Refusals of a refund that say for certain that nothing happened.
_REFUSED = frozenset(
    {"refund-exceeds-charge", "charge-not-refundable", "charge-not-found"}
)


class Provider:
    """A payment provider that speaks the simulator's protocol.

    One that *captures* takes the money of a charge at once; else it is only set aside.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        *,
        protect: Protect,
        protect_look_up: Protect,
        captures: bool = True,
        observe: Observe | None = None,
        timer: Monotonic = monotonic,
    ) -> None:
        self.line = Line(
            session, base_url, protect=protect, protect_look_up=protect_look_up
        )
        self._captures = captures
        self._observe = observe
        self._timer = timer

    async def charge(
        self,
        *,
        key: str,
        amount: Money,
        method: str,
        reference: str,
        capture: bool | None = None,
        return_url: str | None = None,
    ) -> Outcome:
        """Charge once a key, or only set the money aside; nothing due is paid.

        Whether to *capture* at once is what the shop does, unless it is said.

        Raises ``PaymentUnavailable`` when it is certain that nothing happened,
        ``PaymentOutcomeUnknown`` when it is not, ``UnknownPaymentMethod`` when
        the provider refuses the method without charging.
        """
        if amount.amount == 0:
            return NOTHING_DUE
        body: dict[str, Any] = {
            "amount": amount.amount,
            "currency": amount.currency,
            "payment_method": method,
            "reference": reference,
        }
        if not (self._captures if capture is None else capture):
            body["capture"] = "manual"
        if return_url is not None:
            body["return_url"] = return_url
        return await self._seen("charge", self._charge(key, amount, body))

    async def _charge(self, key: str, amount: Money, body: dict[str, Any]) -> Outcome:
        try:
            said = await self.line.write(
                "/v1/charges", key=key, body=body, proper=wire.is_charge
            )
        except PaymentOutcomeUnknown:
            # An answer lost on its way back is found here, and the buyer is told the
            # truth at once. Nothing found is no answer: it may still be under way.
            found = await self._charge_of(key, quick=True)
            if found is None:
                raise
            return wire.outcome(found, key, amount)
        if said.status == 400:  # noqa: PLR2004 - HTTP: the method, all else is ours
            raise UnknownPaymentMethod(body["payment_method"])
        if not said.ok:
            raise PaymentOutcomeUnknown
        return wire.outcome(wire.charge(said.body), key, amount)

    async def settle(
        self, *, key: str, amount: Money, give_up: bool = False
    ) -> Outcome:
        """Find out what became of a charge, and see to it that nothing will.

        A charge the provider has never seen is cancelled by its key before this
        says ``Declined``; with *give_up* also one that waits for its buyer. Raises
        ``PaymentOutcomeUnknown`` when the provider does not answer.
        """
        if amount.amount == 0:
            return NOTHING_DUE
        return await self._seen("settle", self._settle(key, amount, give_up=give_up))

    async def _settle(self, key: str, amount: Money, *, give_up: bool) -> Outcome:
        found = await self._charge_of(key)
        if found is None or (give_up and found.status == "requires_action"):
            said = await self._write(f"/v1/charges/by-key/{_path(key)}/cancel")
            if not said.ok:
                raise PaymentOutcomeUnknown
            found = wire.charge(said.body)
        return wire.outcome(found, key, amount)

    async def capture(self, *, key: str, amount: Money) -> Captured | Declined:
        """Take money that was set aside, all of it or less; the rest is released.

        ``Declined`` says that nothing can be taken any more. Raises
        ``PaymentUnavailable`` or ``PaymentOutcomeUnknown``; may be repeated.
        """
        return await self._seen("capture", self._capture(key, amount))

    async def _capture(self, key: str, amount: Money) -> Captured | Declined:
        path = f"/v1/charges/by-key/{_path(key)}/capture"
        said = await self.line.write(
            path, body={"amount": amount.amount}, proper=wire.is_charge
        )
        found = wire.charge(said.body) if said.ok else await self._charge_of(key)
        if found is None or found.key != key:
            raise PaymentOutcomeUnknown
        if found.status in ("declined", "canceled"):
            return Declined(found.decline_reason or found.status)
        if (found.status, found.captured) != ("captured", amount.amount) or (
            found.amount.currency != amount.currency
        ):
            # Taken by somebody else, or not at all: a person has to look.
            raise PaymentOutcomeUnknown
        return Captured(found.reference)

    async def void(self, *, key: str) -> Voided | Captured:
        """Release money that was set aside; ``Captured`` when it was taken before.

        Raises ``PaymentUnavailable`` or ``PaymentOutcomeUnknown``; may be repeated.
        """
        return await self._seen("void", self._void(key))

    async def _void(self, key: str) -> Voided | Captured:
        path = f"/v1/charges/by-key/{_path(key)}/void"
        said = await self.line.write(path, proper=wire.is_charge)
        found = wire.charge(said.body) if said.ok else await self._charge_of(key)
        if found is None or found.key != key:
            raise PaymentOutcomeUnknown
        if found.status in ("declined", "canceled"):
            return Voided()
        if found.status == "captured":
            return Captured(found.reference)
        raise PaymentOutcomeUnknown

    async def refund(
        self, *, key: str, charge_key: str, amount: Money, reason: str
    ) -> RefundOutcome:
        """Give money back once a key.

        ``RefundFailed`` says for certain that none went back. Raises
        ``PaymentUnavailable`` or ``PaymentOutcomeUnknown``; may be repeated.
        """
        body = {
            "charge_key": charge_key,
            "amount": amount.amount,
            "currency": amount.currency,
            "reason": reason,
        }
        return await self._seen("refund", self._refund(key, body, amount))

    async def _refund(
        self, key: str, body: dict[str, Any], amount: Money
    ) -> RefundOutcome:
        said = await self.line.write(
            "/v1/refunds", key=key, body=body, proper=wire.is_refund
        )
        if said.ok:
            return wire.refund_outcome(
                wire.refund(said.body),
                key=key,
                charge_key=body["charge_key"],
                amount=amount,
            )
        if said.status in (404, 409) and wire.problem(said.body) in _REFUSED:
            return RefundFailed(wire.problem(said.body).replace("-", "_"))
        raise PaymentOutcomeUnknown

    async def settle_refund(
        self, *, key: str, charge_key: str, amount: Money
    ) -> RefundOutcome:
        """Find out what became of a refund; one that never came never can.

        Raises ``PaymentOutcomeUnknown`` when the provider does not answer.
        """
        return await self._seen(
            "settle_refund", self._settle_refund(key, charge_key, amount)
        )

    async def _settle_refund(
        self, key: str, charge_key: str, amount: Money
    ) -> RefundOutcome:
        found = await self._refund_of(key)
        if found is None:
            said = await self._write(f"/v1/refunds/by-key/{_path(key)}/cancel")
            if not said.ok:
                raise PaymentOutcomeUnknown
            found = wire.refund(said.body)
        return wire.refund_outcome(found, key=key, charge_key=charge_key, amount=amount)

    async def find_charge(self, key: str) -> Charge | None:
        """The charge of a key; None if there is none."""
        return await self._seen("look_up", self._charge_of(key))

    async def find_refund(self, key: str) -> ChargeRefund | None:
        """The refund of a key; None if there is none."""
        return await self._seen("look_up", self._refund_of(key))

    async def charges(
        self, *, created_from: datetime | None = None, after: str | None = None
    ) -> Page[Charge]:
        """A page of all charges, oldest first; ``PaymentOutcomeUnknown``."""
        return await self._seen(
            "list", self._list("/v1/charges", wire.charges, created_from, after)
        )

    async def refunds(
        self, *, created_from: datetime | None = None, after: str | None = None
    ) -> Page[ChargeRefund]:
        """A page of all refunds, oldest first; ``PaymentOutcomeUnknown``."""
        return await self._seen(
            "list", self._list("/v1/refunds", wire.refunds, created_from, after)
        )

    async def _list(
        self,
        path: str,
        read: Callable[[bytes], Page[T]],
        created_from: datetime | None,
        after: str | None,
    ) -> Page[T]:
        query = {"limit": str(PAGE)}
        if created_from is not None:
            query["created_from"] = rfc3339(created_from)
        if after is not None:
            query["after"] = after
        said = await self.line.ask(f"{path}?{urlencode(query)}")
        if not said.ok:
            raise PaymentOutcomeUnknown
        page = read(said.body)
        if page.next is not None and (page.next == after or not page.items):
            # A list that leads nowhere would be read for ever.
            raise PaymentOutcomeUnknown
        return page

    async def _charge_of(self, key: str, *, quick: bool = False) -> Charge | None:
        path = f"/v1/charges/by-key/{_path(key)}"
        said = await self.line.ask(path, quick=quick)
        return None if _absent(said) else wire.charge(said.body)

    async def _refund_of(self, key: str) -> ChargeRefund | None:
        said = await self.line.ask(f"/v1/refunds/by-key/{_path(key)}")
        return None if _absent(said) else wire.refund(said.body)

    async def _write(self, path: str) -> Said:
        """Cancel something; whatever fails leaves its outcome unknown."""
        try:
            return await self.line.write(path, proper=lambda _: True)
        except PaymentUnavailable as error:
            raise PaymentOutcomeUnknown from error

    async def _seen(self, operation: str, call: Awaitable[T]) -> T:
        started, word = self._timer(), "error"
        try:
            result = await call
            word = _WORDS.get(type(result), "answered")
        except Exception as error:
            word = _WORDS.get(type(error), "error")
            raise
        finally:
            if self._observe is not None:
                self._observe(operation, word, self._timer() - started)
        return result


def _absent(said: Said) -> bool:
    if said.ok:
        return False
    if said.status == 404:  # noqa: PLR2004 - HTTP
        return True
    raise PaymentOutcomeUnknown


def _path(key: str) -> str:
    return quote(key, safe="")
