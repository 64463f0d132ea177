"""The payment provider and the carrier, with the policies around each call.

Total budget, then retries, then the budget of one attempt: a retry happens
within the total, and one hanging attempt does not use it up. A charge may be
repeated because it carries a key; a quote because it changes nothing.
"""

from dataclasses import dataclass

import aiohttp

from holdfast.domain.payments import NotSent, Provider, Unclear
from holdfast.domain.shipping import Carrier
from holdfast.platform.redis import Cache
from holdfast.platform.settings import Settings
from holdfast.resilience.deadline import Deadline
from holdfast.resilience.pipeline import Pipeline
from holdfast.resilience.retry import Retry

# Two attempts that hang leave time for a third that answers.
_ATTEMPT_SHARE = 0.4
# A buyer has waited for the whole budget when this is asked.
_LOOK_UP_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Providers:
    """Whom the shop depends on."""

    payments: Provider
    carrier: Carrier


def providers(
    settings: Settings, session: aiohttp.ClientSession, *, cache: Cache | None = None
) -> Providers:
    """Build both from the settings; ``ValueError`` names what is missing."""
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
    # A buyer waits for this one with a cart half made, and there is a way out
    # without it: one attempt.
    quoting = Pipeline(Deadline(settings.carrier_timeout_seconds))
    return Providers(
        Provider(
            session,
            settings.payment_url,
            protect=charging,
            protect_look_up=Pipeline(Deadline(budget * _LOOK_UP_SHARE)),
        ),
        Carrier(session, settings.carrier_url, protect=quoting, shared=cache),
    )
