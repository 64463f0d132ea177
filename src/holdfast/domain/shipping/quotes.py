"""What sending a parcel costs, with a way out when the carrier does not answer.

A quote is reused for a minute. When the carrier fails, the last quote of the
same parcel within 15 minutes is used, or of one as heavy to the same country, then
a flat rate; the answer says which, and checkout never waits longer than the policies
around the call allow. Quotes are shared between processes through a cache, without
which each has its own; postal codes do not leave the process.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Protocol, TypeAlias

import msgspec

from holdfast.domain.shipping.model import (
    Method,
    Parcel,
    Quote,
    Size,
    Source,
    flat_rate,
)
from holdfast.domain.shipping.wire import CarrierFailed, ParcelRefused, Wire
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.kernel.money import MAX_AMOUNT, Money
from holdfast.resilience.errors import Rejected, TimedOut

_FRESH_SECONDS = 60.0
_USABLE_SECONDS = 15 * 60.0
_REMEMBERED = 8_192
# After a failure the carrier is left alone for a moment, so that a dead carrier
# costs one request its patience and not every request.
_REST_SECONDS = 2.0


class Protect(Protocol):
    """Policies around one call."""

    async def __call__(self, call: "_Call", /) -> bytes: ...


class _Call(Protocol):
    async def __call__(self) -> bytes: ...


class _Price(msgspec.Struct):
    amount: int
    currency: str


class _Rate(msgspec.Struct):
    service: str
    price: _Price


class _Rates(msgspec.Struct):
    rates: list[_Rate]


class Shared(Protocol):
    """What processes remember together; it may forget at any time."""

    async def get(self, key: str) -> bytes | None: ...

    async def set(self, key: str, value: bytes, *, ttl_seconds: float) -> None: ...


_Remembered: TypeAlias = Parcel | tuple[str, int, str]
"""A parcel, or any as heavy to the same country."""

_REFUSALS = (400, 404, 422)
# What else a carrier offers is no concern of ours.
_ASKED_OF_CARRIERS = (Method.STANDARD, Method.EXPRESS)
_NONSENSE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_rates = msgspec.json.Decoder(_Rates)
_prices = msgspec.json.Decoder(dict[Method, Money])


class Quotes:
    """The prices of a carrier."""

    def __init__(
        self,
        wire: Wire,
        *,
        protect: Protect,
        shared: Shared | None = None,
        size: Size | None = None,
        fell_back: Callable[[str], None] | None = None,
        timer: Monotonic = monotonic,
    ) -> None:
        self._wire = wire
        self._size = {} if size is None else asdict(size)
        self._protect = protect
        self._shared = shared
        self._fell_back = fell_back
        self._timer = timer
        self._last: OrderedDict[_Remembered, tuple[float, Mapping[Method, Money]]]
        self._last = OrderedDict()
        self._resting_until = 0.0

    def recall(self, method: Method, parcel: Parcel) -> Quote | None:
        """A quote that needs no question: free of charge, or asked for just now."""
        if method is Method.PICKUP:
            return Quote(Money(0, parcel.currency), Source.SHOP)
        return self._recall(method, parcel, _FRESH_SECONDS, Source.CARRIER)

    async def quote(self, method: Method, parcel: Parcel) -> Quote:
        """What sending the parcel costs; always an answer, never an error."""
        if known := self.recall(method, parcel):
            return known
        if self._timer() >= self._resting_until:
            try:
                prices = await self._ask(parcel)
            except (ParcelRefused, Rejected):
                # One buyer's odd parcel must not cost the others their prices; and
                # after what was not sent at all, the policies say when to ask again.
                pass
            except (CarrierFailed, TimedOut):
                self._resting_until = self._timer() + _REST_SECONDS
            else:
                await self._remember(parcel, prices)
                if method in prices:
                    return Quote(prices[method], Source.CARRIER)
        quote = await self._without_carrier(method, parcel)
        if self._fell_back is not None:
            self._fell_back(quote.source.value)
        return quote

    async def _without_carrier(self, method: Method, parcel: Parcel) -> Quote:
        for known_as in (parcel, parcel.anywhere):
            if last := self._recall(
                method, known_as, _USABLE_SECONDS, Source.LAST_QUOTE
            ):
                return last
        if (price := await self._recall_shared(method, parcel)) is not None:
            return Quote(price, Source.LAST_QUOTE)
        return Quote(flat_rate(method, parcel.currency), Source.FLAT_RATE)

    def _recall(
        self, method: Method, parcel: _Remembered, seconds: float, source: Source
    ) -> Quote | None:
        asked_at, prices = self._last.get(parcel, (float("-inf"), {}))
        if method not in prices or self._timer() - asked_at > seconds:
            return None
        return Quote(prices[method], source)

    async def _ask(self, parcel: Parcel) -> Mapping[Method, Money]:
        answer = await self._protect(lambda: self._send(parcel))
        try:
            rates = _rates.decode(answer).rates
        except _NONSENSE as error:
            raise CarrierFailed("the carrier answered nonsense") from error
        return {
            Method(rate.service): Money(rate.price.amount, rate.price.currency)
            for rate in rates
            if rate.service in _ASKED_OF_CARRIERS
            and rate.price.currency == parcel.currency
            and 0 <= rate.price.amount <= MAX_AMOUNT
        }

    async def _send(self, parcel: Parcel) -> bytes:
        body: dict[str, str | int] = {
            "country": parcel.country,
            "weight_grams": parcel.weight_grams,
            "currency": parcel.currency,
            **self._size,
        }
        if parcel.postal_code is not None:
            body["postal_code"] = parcel.postal_code
        status, answer = await self._wire.send("rates", "POST", "/v1/rates", json=body)
        if status in _REFUSALS:
            raise ParcelRefused(f"the carrier answered {status}")
        if status >= 300:  # noqa: PLR2004 - HTTP
            raise CarrierFailed(f"the carrier answered {status}")
        return answer

    async def _recall_shared(self, method: Method, parcel: Parcel) -> Money | None:
        if self._shared is None:
            return None
        kept = await self._shared.get(_key(parcel))
        try:
            return None if kept is None else _prices.decode(kept).get(method)
        except _NONSENSE:
            # Another release wrote it, or it is not ours: as good as forgotten.
            return None

    async def _remember(self, parcel: Parcel, prices: Mapping[Method, Money]) -> None:
        for known_as in (parcel, parcel.anywhere):
            self._last[known_as] = (self._timer(), prices)
            self._last.move_to_end(known_as)
        while len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        if self._shared is not None:
            kept = msgspec.json.encode(prices)
            await self._shared.set(_key(parcel), kept, ttl_seconds=_USABLE_SECONDS)


def _key(parcel: Parcel) -> str:
    return f"shipping:{parcel.country}:{parcel.weight_grams}:{parcel.currency}"
