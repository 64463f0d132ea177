"""The endpoints for refunds."""

import msgspec

from holdfast.simulators.keys import checked, key_of
from holdfast.simulators.payment.charge import Entry
from holdfast.simulators.payment.charge_api import found
from holdfast.simulators.payment.ledger import KeyReused, Ledger, WrongState
from holdfast.simulators.payment.refund import RefundEntry, RefundRequest
from holdfast.simulators.payment.refunds import RefundExceedsCharge, Refunds
from holdfast.simulators.register import Full, listing
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.web import Problem, Reply, Request, Route, json_reply

_REFUND = msgspec.json.Decoder(RefundRequest)


class RefundDesk:
    def __init__(
        self, ledger: Ledger, refunds: Refunds, simulation: Simulation
    ) -> None:
        self._ledger = ledger
        self._refunds = refunds
        self._simulation = simulation

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/v1/refunds", self.refund),
            Route("GET", "/v1/refunds", self.refunds),
            Route("GET", "/v1/refunds/by-key/{}", self.by_key),
            Route("POST", "/v1/refunds/by-key/{}/cancel", self.cancel),
        )

    async def refund(self, request: Request) -> Reply | None:
        key = key_of(request)
        wanted = await request.read(_REFUND)
        return await self._simulation.perform(
            "refund",
            request,
            lambda: self._refund(key, wanted),
            mishap=wanted.simulate,
            key=key,
        )

    def _refund(self, key: str, wanted: RefundRequest) -> Reply:
        try:
            refund = self._refunds.known(key, wanted)
            if refund is not None:
                return json_reply(refund)
            refund = self._refunds.refund(key, wanted, self._charge(wanted))
        except KeyReused:
            raise Problem(
                422,
                "idempotency-key-reused",
                "The key belongs to a refund that was asked for differently.",
            ) from None
        except WrongState as state:
            detail = f"The charge is {state}: nothing of it can go back."
            raise Problem(409, "charge-not-refundable", detail) from None
        except RefundExceedsCharge as left:
            detail = f"{left} is the most that can still go back."
            raise Problem(409, "refund-exceeds-charge", detail) from None
        except (Full, OSError) as error:
            raise _not_recorded(error) from None
        return json_reply(refund, status=201)

    def _charge(self, wanted: RefundRequest) -> Entry:
        entry = found(self._ledger, wanted.charge_key)
        if wanted.currency != entry.charge.currency and entry.payment_method:
            detail = f"The charge is in {entry.charge.currency}."
            errors = [{"pointer": "/currency", "detail": detail}]
            raise Problem(422, "invalid-request", detail, errors=errors)
        return entry

    async def cancel(self, request: Request) -> Reply | None:
        key = checked(request.path_values[0])

        def act() -> Reply:
            try:
                return json_reply(self._refunds.cancel(key))
            except (Full, OSError) as error:
                raise _not_recorded(error) from None

        return await self._simulation.perform("cancel_refund", request, act, key=key)

    async def by_key(self, request: Request) -> Reply | None:
        key = checked(request.path_values[0])
        return await self._simulation.perform(
            "lookup",
            request,
            lambda: json_reply(found_refund(self._refunds, key).refund),
            key=key,
        )

    async def refunds(self, request: Request) -> Reply | None:
        return await self._simulation.perform(
            "lookup",
            request,
            lambda: listing(request, self._refunds.entries, lambda entry: entry.refund),
        )


def found_refund(refunds: Refunds, key: str) -> RefundEntry:
    entry = refunds.entries.find(key)
    if entry is None:
        raise Problem(404, "refund-not-found", "No refund has this key.")
    return entry


def _not_recorded(error: Exception) -> Problem:
    detail = f"The refund could not be recorded: {error}. Nothing was done."
    return Problem(503, "refund-not-recorded", detail)
