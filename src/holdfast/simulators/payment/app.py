"""The payment provider's HTTP interface, put together.

Charges follow the scenario that is on, and otherwise their payment method; all
else behaves unless a scenario names it, so that the truth can be asked for.
"""

import asyncio

from holdfast.simulators import control
from holdfast.simulators.payment.buyer import Buyer
from holdfast.simulators.payment.charge_api import Charges
from holdfast.simulators.payment.ledger import Ledger
from holdfast.simulators.payment.overview import overview
from holdfast.simulators.payment.refund_api import RefundDesk
from holdfast.simulators.payment.refunds import Refunds
from holdfast.simulators.payment.scenario import PaymentMishap, PaymentScenario
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.stage import Sleep
from holdfast.simulators.web import App, Reply, Request, Route, json_reply
from holdfast.simulators.webhooks import Target, Webhooks

_ON = frozenset({"charge"})


def build(
    ledger: Ledger, *, target: Target | None = None, sleep: Sleep = asyncio.sleep
) -> App:
    """*target*: where webhooks go from the start."""
    hooks = Webhooks(ledger.clock, target=target, keep=ledger.keep_webhook)
    hooks.resume(ledger.undelivered.values())
    ledger.listener = hooks.emit
    simulation = Simulation(
        on=_ON,
        scenario=PaymentScenario,
        mishap=PaymentMishap,
        clock=ledger.clock,
        webhooks=hooks,
        sleep=sleep,
    )
    refunds = Refunds(ledger)

    def forget() -> None:
        ledger.clear()
        refunds.clear()

    async def summary(request: Request) -> Reply | None:
        return await simulation.perform(
            "lookup", request, lambda: _summary(ledger, refunds)
        )

    async def show(_: Request) -> Reply:
        return overview(ledger, refunds, simulation)

    return simulation.app(
        (
            *Charges(ledger, simulation).routes(),
            *RefundDesk(ledger, refunds, simulation).routes(),
            Route("GET", "/v1/summary", summary),
            Route("GET", "/", show),
            *Buyer(ledger, refunds, simulation).routes(),
            *control.routes(simulation, forget=forget),
        )
    )


def _summary(ledger: Ledger, refunds: Refunds) -> Reply:
    return json_reply(
        {
            "captured": {
                "count": ledger.count("captured"),
                "amount_by_currency": ledger.captured_by_currency(),
            },
            "authorized": {
                "count": ledger.count("authorized"),
                "amount_by_currency": ledger.authorized_by_currency(),
            },
            "refunded": {
                "count": refunds.count("succeeded"),
                "amount_by_currency": refunds.succeeded_by_currency(),
            },
            "declined": ledger.count("declined"),
            "canceled": ledger.count("canceled"),
            "requires_action": ledger.count("requires_action"),
            "refunds_pending": refunds.count("pending"),
            "refunds_failed": refunds.count("failed"),
            "refunds_canceled": refunds.count("canceled"),
        }
    )
