"""The payment provider and the carrier, with the policies around each call.

Total budget, then retries, then the budget of one attempt: a retry happens
within the total, and one hanging attempt does not use it up. A charge may be
repeated because it carries a key; a quote because it changes nothing.
"""

from dataclasses import dataclass

import aiohttp

from holdfast.domain.payments import NotSent, Provider, Unclear
from holdfast.domain.shipping import Carrier, CarrierFailed, Quotes, Shared, Size, Wire
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.outgoing import OutgoingCalls
from holdfast.platform.redis import Cache
from holdfast.platform.settings import Settings
from holdfast.resilience.deadline import Deadline
from holdfast.resilience.pipeline import Pipeline
from holdfast.resilience.retry import Retry

# Two attempts that hang leave time for a third that answers.
_ATTEMPT_SHARE = 0.4
# A buyer has waited for the whole budget when this is asked.
_LOOK_UP_SHARE = 0.2
# An operator waits for a label longer than a cart does for a price: making one is work,
# and there is no way out without it but to ask again later.
_PATIENCE_FOR_LABELS = 4.0


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
) -> Providers:
    """Build both from the settings; ``ValueError`` names what is missing.

    *calls* counts what they are asked.
    """
    if settings.payment_url is None:
        raise ValueError("HOLDFAST_PAYMENT_URL must be set")
    if settings.carrier_url is None:
        raise ValueError("HOLDFAST_CARRIER_URL must be set")
    budget = settings.payment_timeout_seconds
    charging = Pipeline(
        Deadline(budget),
        Retry(repeatable=True, attempts=4, on=(NotSent, Unclear)),
        Deadline(budget * _ATTEMPT_SHARE),
    )
    return Providers(
        Provider(
            session,
            settings.payment_url,
            protect=charging,
            protect_look_up=Pipeline(Deadline(budget * _LOOK_UP_SHARE)),
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
        ),
    )


def carrier(
    session: aiohttp.ClientSession,
    url: str,
    *,
    timeout_seconds: float,
    cache: Shared | None = None,
    calls: OutgoingCalls | None = None,
    size: tuple[int, int, int] | None = None,
    timer: Monotonic = monotonic,
) -> Carrier:
    """A carrier at a URL; a quote may take *timeout_seconds*, a label four times that.

    A buyer waits for a quote with a cart half made, and there is a way out without it:
    one attempt. A label is asked for again, since it carries a key.
    """
    watch = None if calls is None else calls.watch("carrier")
    wire = Wire(session, url, watch=watch, timer=timer)
    patience = timeout_seconds * _PATIENCE_FOR_LABELS
    one = Pipeline(Deadline(timeout_seconds))
    several = Pipeline(
        Deadline(patience),
        Retry(repeatable=True, attempts=3, on=(CarrierFailed,)),
        Deadline(patience * _ATTEMPT_SHARE),
    )
    box = None if size is None else Size(*size)
    quotes = Quotes(wire, protect=one, shared=cache, size=box, timer=timer)
    return Carrier(wire, quotes, protect=several, size=box)
