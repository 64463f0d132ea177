"""The payment provider and the carrier, with the policies around each call.

Total budget, then retries, then the circuit, then the budget of one attempt: a retry
happens within the total, one hanging attempt does not use it up, and an open circuit
ends it all at once. A charge may be repeated because it carries a key; a quote because
it changes nothing.
"""

from dataclasses import dataclass
from functools import partial

import aiohttp

from holdfast.domain.payments import NotSent, Provider, Unclear
from holdfast.domain.shipping import (
    Carrier,
    CarrierFailed,
    CarrierUnreachable,
    ParcelRefused,
    Quotes,
    Shared,
    Size,
    Wire,
)
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.circuits import Circuits
from holdfast.platform.dependencies import CARRIER, PAYMENT
from holdfast.platform.guard import Guard
from holdfast.platform.outgoing import OutgoingCalls
from holdfast.platform.redis import Cache
from holdfast.platform.settings import Settings
from holdfast.resilience.pipeline import Pipeline

# Two attempts that hang leave time for a third that answers.
ATTEMPT_SHARE = 0.4
# A buyer has waited for the whole budget when this is asked.
LOOK_UP_SHARE = 0.2
# An operator waits for a label longer than a cart does for a price: making one is work,
# and there is no way out without it but to ask again later.
PATIENCE_FOR_LABELS = 4.0


@dataclass(frozen=True, slots=True)
class Providers:
    """Whom the shop depends on."""

    payments: Provider
    carrier: Carrier


def providers(
    settings: Settings,
    session: aiohttp.ClientSession,
    *,
    cache: Cache | None = None,
    calls: OutgoingCalls | None = None,
    circuits: Circuits | None = None,
) -> Providers:
    """Build both from the settings; ``ValueError`` names what is missing.

    *calls* counts what they are asked; without *circuits* they have their own.
    """
    if settings.payment_url is None:
        raise ValueError("HOLDFAST_PAYMENT_URL must be set")
    if settings.carrier_url is None:
        raise ValueError("HOLDFAST_CARRIER_URL must be set")
    circuits = circuits or Circuits()
    budget = settings.payment_timeout_seconds
    guard = circuits[PAYMENT]
    return Providers(
        Provider(
            session,
            settings.payment_url,
            protect=_asking_for_money(guard, budget * ATTEMPT_SHARE, budget),
            protect_look_up=_asking_for_money(guard, budget * LOOK_UP_SHARE),
            captures=settings.capture == "checkout",
            observe=None if calls is None else calls.watch("payment"),
        ),
        carrier(
            session,
            settings.carrier_url,
            timeout_seconds=settings.carrier_timeout_seconds,
            cache=cache,
            calls=calls,
            size=settings.parcel_size,
            circuits=circuits,
        ),
    )


def _asking_for_money(
    guard: Guard, seconds: float, total_seconds: float | None = None
) -> Pipeline:
    return guard.around(
        timeout_seconds=seconds,
        total_seconds=total_seconds,
        failures=(Unclear,),
        unreachable=(NotSent,),
        again_after=(NotSent, Unclear),
    )


def carrier(
    session: aiohttp.ClientSession,
    url: str,
    *,
    timeout_seconds: float,
    cache: Shared | None = None,
    calls: OutgoingCalls | None = None,
    size: tuple[int, int, int] | None = None,
    circuits: Circuits | None = None,
    timer: Monotonic = monotonic,
) -> Carrier:
    """A carrier at a URL; a quote may take *timeout_seconds*, a label four times that.

    A buyer waits for a quote with a cart half made, and there is a way out without it:
    one attempt. A label is asked for again, since it carries a key.
    """
    watch = None if calls is None else calls.watch("carrier")
    wire = Wire(session, url, watch=watch, timer=timer)
    patience = timeout_seconds * PATIENCE_FOR_LABELS
    circuits = circuits or Circuits()
    guard = circuits[CARRIER]
    one = guard.around(
        timeout_seconds=timeout_seconds,
        failures=(CarrierFailed,),
        unreachable=(CarrierUnreachable,),
        answers=(ParcelRefused,),
    )
    several = guard.around(
        timeout_seconds=patience * ATTEMPT_SHARE,
        total_seconds=patience,
        failures=(CarrierFailed,),
        unreachable=(CarrierUnreachable,),
        again_after=(CarrierFailed,),
    )
    box = None if size is None else Size(*size)
    quotes = Quotes(
        wire,
        protect=one,
        shared=cache,
        size=box,
        fell_back=partial(circuits.fell_back, CARRIER),
        timer=timer,
    )
    return Carrier(wire, quotes, protect=several, size=box)
