"""What a carrier in particular can be told to do wrong."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from holdfast.simulators.scenario import Mishap, Scenario, Share

Operation: TypeAlias = Literal[
    "rates", "shipment", "cancel", "label", "tracking", "lookup"
]
Outcome: TypeAlias = Literal["delivered", "exception", "lost", "returned", "stuck"]
ParcelStatus: TypeAlias = Literal[
    "created",
    "in_transit",
    "out_for_delivery",
    "delivered",
    "exception",
    "lost",
    "returned",
    "canceled",
]
Words: TypeAlias = Annotated[str, msgspec.Meta(max_length=255)]

_MOST_SECONDS = 366 * 86_400


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """*after_seconds* counts from the making of the label."""

    after_seconds: Annotated[float, msgspec.Meta(ge=0, le=_MOST_SECONDS)]
    status: ParcelStatus
    description: Words | None = None
    location: Words | None = None


class Journey(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How a parcel fares. A *timetable* says it all; else the *outcome* does."""

    outcome: Outcome = "delivered"
    timetable: Annotated[tuple[Step, ...], msgspec.Meta(max_length=100)] | None = None
    rate: Share = 1.0


class CarrierMishap(Mishap, frozen=True):
    """*journey* is for the shipment that is asked for; its rate does not count."""

    journey: Journey | None = None


class CarrierScenario(Scenario, frozen=True):
    on: tuple[Operation, ...] = ()
    journey: Journey | None = None

    @property
    def operations(self) -> tuple[str, ...]:
        return self.on
