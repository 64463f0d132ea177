"""The page that shows what the carrier has under way."""

from collections.abc import Iterable
from typing import TypeAlias, get_args

from holdfast.simulators.carrier.book import Book
from holdfast.simulators.carrier.scenario import ParcelStatus
from holdfast.simulators.carrier.shipment import Consignment
from holdfast.simulators.carrier.tariff import Rate, RatesRequest
from holdfast.simulators.clock import text
from holdfast.simulators.page import facts, link, page, table
from holdfast.simulators.panels import (
    clock_table,
    delivery_table,
    scenario_table,
    webhook_table,
)
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.web import Reply

Quote: TypeAlias = tuple[RatesRequest, tuple[Rate, ...]]

_SHOWN = 50


def overview(
    book: Book, given: int, quotes: Iterable[Quote], simulation: Simulation
) -> Reply:
    statuses: tuple[ParcelStatus, ...] = get_args(ParcelStatus)
    return page(
        "Carrier simulator",
        "It ships nothing. Prices are in minor units of their currency.",
        facts(
            table(
                "Shipments by status",
                ("Status", "Count"),
                [(status.replace("_", " "), book.count(status)) for status in statuses],
            ),
            table("Quotes", ("What", "Count"), [("given", given)]),
            clock_table(simulation.clock),
            scenario_table(simulation.stage.state()),
            webhook_table(simulation.webhooks),
        ),
        table(
            f"The last {_SHOWN} shipments, newest first",
            (
                *("Number", "Status", "Service", "To", "Reference"),
                *("Next", "Label", "At", "Key"),
            ),
            map(_shipment, book.entries.last(_SHOWN)),
        ),
        table(
            f"The last {_SHOWN} quotes, newest first",
            ("Country", "Grams", "Currency", "Standard", "Express"),
            (
                (
                    wanted.country,
                    wanted.charged_grams,
                    wanted.currency,
                    *(rate.price.amount for rate in found),
                )
                for wanted, found in quotes
            ),
        ),
        delivery_table(simulation.webhooks),
    )


def _shipment(entry: Consignment) -> tuple[object, ...]:
    shipment, request = entry.shipment, entry.request
    number = shipment.tracking_number
    following = entry.plan[0] if entry.plan else None
    return (
        link(number, f"/v1/tracking/{number}") if number else "none",
        shipment.status.replace("_", " "),
        shipment.service or "",
        request.ship_to.place if request else "",
        shipment.reference,
        f"{following.status} at {text(following.due)}" if following else "",
        link("PDF", f"/v1/shipments/{shipment.id}/label.pdf") if request else "",
        shipment.created_at,
        shipment.key,
    )
