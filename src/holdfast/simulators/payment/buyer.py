"""The page on which a buyer approves a charge, as a bank's would ask (3-D Secure).

It needs no script: two buttons send a form, and the answer leads back to where
the shop asked for. Tests decide for the buyer through the control endpoint.
"""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from holdfast.simulators.keys import checked
from holdfast.simulators.page import Markup, form, page, tag
from holdfast.simulators.payment.charge import Charge, Entry
from holdfast.simulators.payment.charge_api import found
from holdfast.simulators.payment.ledger import Ledger, WrongState
from holdfast.simulators.payment.methods import METHODS
from holdfast.simulators.payment.refund_api import found_refund
from holdfast.simulators.payment.refunds import Refunds
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.web import Problem, Reply, Request, Route, json_reply

_DECLINED_BY_BUYER = "authentication_failed"


class _Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    outcome: Literal["approve", "decline"]


class _Settlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    outcome: Literal["succeed", "fail"]


_DECISION = msgspec.json.Decoder(_Decision)
_SETTLEMENT = msgspec.json.Decoder(_Settlement)


class Buyer:
    def __init__(
        self, ledger: Ledger, refunds: Refunds, simulation: Simulation
    ) -> None:
        self._ledger = ledger
        self._refunds = refunds
        self._simulation = simulation

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/3ds/{}", self.ask),
            Route("POST", "/3ds/{}", self.decide),
            Route("POST", "/control/charges/{}/complete", self.complete),
            Route("POST", "/control/refunds/{}/complete", self.complete_refund),
        )

    async def ask(self, request: Request) -> Reply:
        return _asking(self._find(request))

    async def decide(self, request: Request) -> Reply:
        """Decided already, by whomever: lead on to where the truth is told."""
        entry = self._find(request)
        outcome = (await request.read_form()).get("outcome")
        if outcome not in {"approve", "decline"}:
            raise Problem(422, "invalid-request", "outcome: approve or decline.")
        if entry.charge.status == "requires_action":
            self._complete(entry, approve=outcome == "approve")
            await self._simulation.webhooks.caught_up()
        if entry.return_url is None:
            return _asking(entry)
        location = (b"location", entry.return_url.encode())
        return Reply(303, headers=(location, (b"cache-control", b"no-store")))

    async def complete(self, request: Request) -> Reply:
        entry = found(self._ledger, checked(request.path_values[0]))
        wanted = await request.read(_DECISION)
        charge = self._complete(entry, approve=wanted.outcome == "approve")
        await self._simulation.webhooks.caught_up()
        return json_reply(charge)

    async def complete_refund(self, request: Request) -> Reply:
        entry = found_refund(self._refunds, checked(request.path_values[0]))
        wanted = await request.read(_SETTLEMENT)
        try:
            refund = self._refunds.complete(entry, fails=wanted.outcome == "fail")
        except WrongState as state:
            detail = f"The refund is {state}."
            raise Problem(409, "refund-not-pending", detail) from None
        except OSError as error:
            raise _not_recorded(error) from None
        await self._simulation.webhooks.caught_up()
        return json_reply(refund)

    def _complete(self, entry: Entry, *, approve: bool) -> Charge:
        reason: str | None = _DECLINED_BY_BUYER
        if approve and entry.payment_method is not None:
            # A tombstone has no method; that it cannot be completed is said below.
            reason = METHODS[entry.payment_method].decline_reason
        try:
            return self._ledger.complete(entry, decline_reason=reason)
        except WrongState as state:
            detail = f"The charge is {state}: nobody is asked about it."
            raise Problem(409, "charge-not-waiting", detail) from None
        except OSError as error:
            raise _not_recorded(error) from None

    def _find(self, request: Request) -> Entry:
        entry = self._ledger.challenged(request.path_values[0])
        if entry is None:
            raise Problem(404, "charge-not-found", "No buyer was asked about this.")
        return entry


def _asking(entry: Entry) -> Reply:
    charge = entry.charge
    lead = f"{charge.amount} {charge.currency} (minor units) for {charge.reference}."
    title = "Approve this payment?"
    parts: list[Markup] = []
    if charge.status == "requires_action":
        parts = [
            form(
                tag("button", "Approve", name="outcome", value="approve"),
                tag("button", "Decline", name="outcome", value="decline"),
                action=f"/3ds/{charge.id}",
            ),
        ]
    else:
        title = f"This payment is {charge.status}"
        if entry.return_url:
            parts = [tag("p", tag("a", "Back to the shop", href=entry.return_url))]
    note = "A simulated bank asks in place of yours. Nobody is charged."
    # A browser applies the policy to where the form leads in the end, too.
    back = urlsplit(entry.return_url or "")
    origins = (f"{back.scheme}://{back.netloc}",) if back.netloc else ()
    return page(title, lead, *parts, tag("p", note), forms_to=("'self'", *origins))


def _not_recorded(error: Exception) -> Problem:
    return Problem(503, "not-recorded", f"{error}. Nothing was done.")
