"""The page that shows what the provider remembers."""

from holdfast.simulators.page import Markup, facts, link, page, table
from holdfast.simulators.panels import (
    clock_table,
    delivery_table,
    scenario_table,
    webhook_table,
)
from holdfast.simulators.payment.charge import Charge
from holdfast.simulators.payment.ledger import Ledger
from holdfast.simulators.payment.refund import Refund
from holdfast.simulators.payment.refunds import Refunds
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.web import Reply

_SHOWN = 50


def overview(ledger: Ledger, refunds: Refunds, simulation: Simulation) -> Reply:
    money = (
        ledger.captured_by_currency(),
        ledger.authorized_by_currency(),
        refunds.succeeded_by_currency(),
    )
    return page(
        "Payment simulator",
        "It charges nobody. Amounts are in minor units of their currency.",
        facts(
            table(
                "Charges by outcome",
                ("Outcome", "Count"),
                [
                    ("captured", ledger.count("captured")),
                    ("authorized", ledger.count("authorized")),
                    ("requires action", ledger.count("requires_action")),
                    ("declined", ledger.count("declined")),
                    ("canceled", ledger.count("canceled")),
                ],
            ),
            table(
                "Refunds by outcome",
                ("Outcome", "Count"),
                [
                    ("succeeded", refunds.count("succeeded")),
                    ("pending", refunds.count("pending")),
                    ("failed", refunds.count("failed")),
                    ("canceled", refunds.count("canceled")),
                ],
            ),
            table(
                "Money",
                ("Currency", "Captured", "Authorized", "Refunded"),
                [
                    (currency, *(sums.get(currency, 0) for sums in money))
                    for currency in sorted(set().union(*money))
                ],
            ),
            clock_table(simulation.clock),
            scenario_table(simulation.stage.state()),
            webhook_table(simulation.webhooks),
        ),
        table(
            f"The last {_SHOWN} charges, newest first",
            (
                *("Key", "Outcome", "Amount", "Captured", "Refunded"),
                *("Currency", "Reference", "At", "Id"),
            ),
            map(_charge, ledger.last(_SHOWN)),
        ),
        table(
            f"The last {_SHOWN} refunds, newest first",
            (
                *("Key", "Outcome", "Amount", "Currency"),
                *("Of charge", "Reason", "At", "Id"),
            ),
            (_refund(entry.refund) for entry in refunds.entries.last(_SHOWN)),
        ),
        delivery_table(simulation.webhooks),
    )


def _charge(charge: Charge) -> tuple[object, ...]:
    outcome: str | Markup = charge.status
    if charge.decline_reason:
        outcome = f"{charge.status}: {charge.decline_reason}"
    elif charge.next_action:
        outcome = link("requires action", f"/3ds/{charge.id}")
    return (
        charge.key,
        outcome,
        charge.amount,
        charge.captured_amount,
        charge.refunded_amount,
        charge.currency,
        charge.reference,
        charge.created_at,
        charge.id,
    )


def _refund(refund: Refund) -> tuple[object, ...]:
    reason = f": {refund.failure_reason}" if refund.failure_reason else ""
    return (
        refund.key,
        f"{refund.status}{reason}",
        refund.amount,
        refund.currency,
        refund.charge_key,
        refund.reason,
        refund.created_at,
        refund.id,
    )
