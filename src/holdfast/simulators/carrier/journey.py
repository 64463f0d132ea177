"""Where a parcel will be, and when: its timetable, made with its label.

By itself it is picked up after 6 hours, passes a hub halfway and is delivered on the
last day that its service allows, by the simulator's clock.
"""

from typing import NamedTuple, get_args

from holdfast.simulators.carrier.scenario import Journey, Outcome, ParcelStatus, Step
from holdfast.simulators.carrier.shipment import Planned, ShipmentRequest
from holdfast.simulators.clock import DAY, HOUR, SECOND

_PICKED_UP_AFTER = 6 * HOUR
_ON_THE_ROAD = 8 * HOUR
_LOST_AFTER = 7 * DAY
_BACK_AFTER = 3 * DAY

DESCRIPTIONS: dict[ParcelStatus, str] = {
    "created": "Label created",
    "in_transit": "On its way",
    "out_for_delivery": "Out for delivery",
    "delivered": "Delivered",
    "exception": "Something is in the way",
    "lost": "Declared lost",
    "returned": "Back with the sender",
    "canceled": "Canceled before pickup",
}


class _Leg(NamedTuple):
    after: int
    status: ParcelStatus
    description: str
    far: bool


def asked_by(reference: str) -> Outcome | None:
    """The outcome that a reference such as ``order-1#lost`` asks for."""
    _, _, suffix = reference.rpartition("#")
    outcomes: dict[str, Outcome] = {name: name for name in get_args(Outcome)}
    return outcomes.get(suffix) if "#" in reference else None


def plan(
    journey: Journey, request: ShipmentRequest, *, days: int, now: int
) -> tuple[Planned, ...]:
    """What is still to come for a label made *now*, soonest first."""
    if journey.timetable is not None:
        steps = sorted(journey.timetable, key=lambda step: step.after_seconds)
        return tuple(_step(step, request, now) for step in steps)
    here, there = request.ship_from.place, request.ship_to.place
    return tuple(
        Planned(
            now + leg.after, leg.status, leg.description, there if leg.far else here
        )
        for leg in _legs(journey.outcome, days * DAY)
    )


def _step(step: Step, request: ShipmentRequest, now: int) -> Planned:
    far = step.status in {"out_for_delivery", "delivered", "exception"}
    place = request.ship_to.place if far else request.ship_from.place
    return Planned(
        now + round(step.after_seconds * SECOND),
        step.status,
        step.description or DESCRIPTIONS[step.status],
        place if step.location is None else step.location,
    )


def _legs(outcome: Outcome, end: int) -> list[_Leg]:
    on_the_way = [
        _Leg(_PICKED_UP_AFTER, "in_transit", "Picked up", far=False),
        _Leg(max(end // 2, _PICKED_UP_AFTER), "in_transit", "Passed a hub", far=False),
    ]
    arriving = _Leg(
        end - _ON_THE_ROAD, "out_for_delivery", "Out for delivery", far=True
    )
    match outcome:
        case "stuck":
            return []
        case "lost":
            after = end + _LOST_AFTER
            return [*on_the_way, _Leg(after, "lost", "Declared lost", far=False)]
        case "returned":
            return [
                *(*on_the_way, arriving),
                _Leg(end, "exception", "Refused by the recipient", far=True),
                _Leg(end + _BACK_AFTER, "returned", "Back with the sender", far=False),
            ]
        case "exception":
            return [
                *(*on_the_way, arriving),
                _Leg(end, "exception", "Nobody was at home", far=True),
                arriving._replace(after=arriving.after + DAY),
                _Leg(end + DAY, "delivered", "Delivered", far=True),
            ]
        case _:
            return [
                *on_the_way,
                arriving,
                _Leg(end, "delivered", "Delivered", far=True),
            ]
