"""The endpoints for charges."""

from collections.abc import Callable

import msgspec

from holdfast.simulators.keys import checked, key_of
from holdfast.simulators.payment.charge import (
    CaptureRequest,
    Charge,
    ChargeRequest,
    Entry,
)
from holdfast.simulators.payment.ledger import KeyReused, Ledger, WrongState
from holdfast.simulators.payment.methods import METHODS, Method
from holdfast.simulators.payment.scenario import PaymentMishap, PaymentScenario
from holdfast.simulators.register import Full, listing
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.stage import Fate
from holdfast.simulators.web import Problem, Reply, Request, Route, json_reply

_CHARGE = msgspec.json.Decoder(ChargeRequest)
_CAPTURE = msgspec.json.Decoder(CaptureRequest)
_FATES = {
    name: Fate(method.latency_seconds, method.fail)
    for name, method in METHODS.items()
    if method.latency_seconds or method.fail != "none"
}
_STATUSES = {"captured": 201, "authorized": 201, "requires_action": 202}


class Charges:
    def __init__(self, ledger: Ledger, simulation: Simulation) -> None:
        self._ledger = ledger
        self._simulation = simulation

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/v1/charges", self.charge),
            Route("GET", "/v1/charges", self.charges),
            Route("GET", "/v1/charges/by-key/{}", self.by_key),
            Route("POST", "/v1/charges/by-key/{}/capture", self.capture),
            Route("POST", "/v1/charges/by-key/{}/void", self.void),
            Route("POST", "/v1/charges/by-key/{}/cancel", self.cancel),
        )

    async def charge(self, request: Request) -> Reply | None:
        key = key_of(request)
        wanted = await request.read(_CHARGE)
        method = METHODS.get(wanted.payment_method)
        if method is None:
            raise Problem(
                400,
                "unknown-payment-method",
                f"There is no payment method {wanted.payment_method}.",
                known=list(METHODS),
            )
        reason = self._decline_reason(request, wanted)
        return await self._simulation.perform(
            "charge",
            request,
            lambda: self._charge(key, wanted, method, reason, request),
            mishap=wanted.simulate,
            key=key,
            otherwise=_FATES.get(wanted.payment_method),
        )

    def _decline_reason(self, request: Request, wanted: ChargeRequest) -> str | None:
        """Why a scenario has this one declined, if it has."""
        mishap = self._simulation.mishap_of(request, wanted.simulate)
        if isinstance(mishap, PaymentMishap):
            return mishap.decline_reason
        scenario = self._simulation.stage.scenario
        if isinstance(scenario, PaymentScenario) and scenario.decline_rate:
            declined = self._simulation.stage.chance(scenario.decline_rate)
            return scenario.decline_reason if declined else None
        return None

    def _charge(
        self,
        key: str,
        wanted: ChargeRequest,
        method: Method,
        reason: str | None,
        request: Request,
    ) -> Reply:
        challenge = None
        if method.challenge and reason is None:
            challenge = (request.base_url + "/3ds/{}").format
        try:
            charge, new = self._ledger.charge(
                key,
                wanted,
                decline_reason=reason or method.decline_reason,
                challenge=challenge,
            )
        except KeyReused:
            raise Problem(
                422,
                "idempotency-key-reused",
                "The key belongs to a charge that was asked for differently.",
            ) from None
        except (Full, OSError) as error:
            raise _not_recorded(error) from None
        status = _STATUSES.get(charge.status, 200) if new else 200
        return json_reply(charge, status=status)

    async def capture(self, request: Request) -> Reply | None:
        wanted = await request.read_optional(_CAPTURE) or CaptureRequest()
        return await self._act(
            "capture", request, lambda entry: self._capture(entry, wanted), wanted
        )

    def _capture(self, entry: Entry, wanted: CaptureRequest) -> Charge:
        try:
            return self._ledger.capture(entry, wanted.amount)
        except WrongState as state:
            raise _conflict("charge-not-capturable", state) from None
        except ValueError:
            detail = f"{entry.charge.amount} is the most that was authorized."
            raise Problem(409, "capture-exceeds-charge", detail) from None

    async def void(self, request: Request) -> Reply | None:
        return await self._act("void", request, self._void)

    def _void(self, entry: Entry) -> Charge:
        try:
            return self._ledger.void(entry)
        except WrongState as state:
            raise _conflict("charge-not-voidable", state) from None

    async def _act(
        self,
        operation: str,
        request: Request,
        do: Callable[[Entry], Charge],
        wanted: CaptureRequest | None = None,
    ) -> Reply | None:
        """Do something with the charge that the path names."""
        key = checked(request.path_values[0])

        def act() -> Reply:
            try:
                return json_reply(do(found(self._ledger, key)))
            except OSError as error:
                raise _not_recorded(error) from None

        mishap = wanted.simulate if wanted else None
        return await self._simulation.perform(
            operation, request, act, mishap=mishap, key=key
        )

    async def cancel(self, request: Request) -> Reply | None:
        key = checked(request.path_values[0])

        def act() -> Reply:
            try:
                return json_reply(self._ledger.cancel(key))
            except (Full, OSError) as error:
                raise _not_recorded(error) from None

        return await self._simulation.perform("cancel", request, act, key=key)

    async def by_key(self, request: Request) -> Reply | None:
        key = checked(request.path_values[0])
        return await self._simulation.perform(
            "lookup",
            request,
            lambda: json_reply(found(self._ledger, key).charge),
            key=key,
        )

    async def charges(self, request: Request) -> Reply | None:
        return await self._simulation.perform(
            "lookup",
            request,
            lambda: listing(request, self._ledger.entries, lambda entry: entry.charge),
        )


def found(ledger: Ledger, key: str) -> Entry:
    entry = ledger.entries.find(key)
    if entry is None:
        raise Problem(404, "charge-not-found", "No charge has this key.")
    return entry


def _conflict(slug: str, state: WrongState) -> Problem:
    return Problem(409, slug, f"The charge is {state}.", charge_status=str(state))


def _not_recorded(error: Exception) -> Problem:
    detail = f"The charge could not be recorded: {error}. Nothing was done."
    return Problem(503, "charge-not-recorded", detail)
