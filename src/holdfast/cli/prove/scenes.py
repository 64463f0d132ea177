"""Every way in which the payment simulator can fail, as scenes for repeated checkouts.

A scene is what all of its calls suffer and what its webhooks do, for one share of the
checkouts; the payment methods fail by themselves besides. ``tests/cli/prove`` holds
both against the simulator's own lists: what it learns to do is missing there until it
is done here. What fails is a share of the calls, so that orders go through and their
repetitions meet every step of them; an outage lasts a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

import msgspec

from holdfast.simulators.latency import Latency
from holdfast.simulators.payment.methods import METHODS, Method
from holdfast.simulators.payment.scenario import Operation, PaymentScenario
from holdfast.simulators.scenario import Burst, Outage, RateLimit
from holdfast.simulators.webhooks.scenario import WebhookScenario

OUTAGE = timedelta(seconds=1)
_EVERYWHERE: tuple[Operation, ...] = get_args(Operation)
_CHARGES: tuple[Operation, ...] = ("charge",)
_PAYS = "pm_card_ok"
_OFTEN = 50


@dataclass(frozen=True, slots=True)
class Scene:
    """What the provider does for a while."""

    name: str
    calls: PaymentScenario
    webhooks: WebhookScenario
    down: Literal["unavailable", "refuse"] | None = None
    """It begins with an outage of that kind."""

    def scenario(self, *, at: datetime, seed: int) -> PaymentScenario:
        """Of its calls, when it begins at that moment."""
        outage = None
        if self.down is not None:
            outage = Outage(end=at + OUTAGE, start=at, how=self.down)
        return msgspec.structs.replace(self.calls, outage=outage, seed=seed)

    def webhook_scenario(self, *, seed: int) -> WebhookScenario:
        """Of its webhooks."""
        return msgspec.structs.replace(self.webhooks, seed=seed)


_UNRULY = WebhookScenario(
    duplicate=1, delay_ms=Latency(min=0, max=300), shuffle=3, drop_rate=0.1
)

SCENES = (
    Scene(
        "answers are lost",
        PaymentScenario(
            on=_EVERYWHERE,
            fail="reset_after",
            rate=0.05,
            latency_ms=Latency(p50=8, p99=120),
        ),
        _UNRULY,
    ),
    Scene(
        "webhooks come before the answer, each three times",
        PaymentScenario(on=_EVERYWHERE, fail="error_after", rate=0.1),
        WebhookScenario(duplicate=2, before_answer=True),
    ),
    Scene(
        "connections are cut, in bursts of calls",
        PaymentScenario(
            on=_EVERYWHERE,
            fail="reset",
            burst=Burst(every_calls=40, for_calls=8),
            latency_ms=Latency(fixed=5),
        ),
        _UNRULY,
    ),
    Scene(
        "webhooks come late and out of order",
        PaymentScenario(on=_EVERYWHERE, fail="garbage_after", rate=0.1),
        WebhookScenario(delay_ms=Latency(mean=500, sd=300), shuffle=6),
    ),
    Scene(
        "webhooks are forged",
        PaymentScenario(on=_EVERYWHERE, fail="garbage", rate=0.1),
        WebhookScenario(bad_signature_rate=0.5, delay_ms=Latency(fixed=20)),
    ),
    Scene("the provider is down", PaymentScenario(), _UNRULY, down="unavailable"),
    Scene(
        "webhooks do not come",
        PaymentScenario(on=_CHARGES, fail="hang_after", rate=0.05),
        WebhookScenario(drop_rate=1.0),
    ),
    Scene(
        "the provider is too busy",
        PaymentScenario(
            on=_EVERYWHERE,
            fail="rate_limited",
            rate=0.1,
            rate_limit=RateLimit(per_second=6),
        ),
        _UNRULY,
    ),
    Scene(
        "webhooks are dated tomorrow",
        PaymentScenario(
            on=_EVERYWHERE,
            fail="error",
            rate=0.1,
            latency_ms=Latency(mean=20, sd=20),
        ),
        WebhookScenario(skew_seconds=86_400, delay_ms=Latency(p50=10, p99=500)),
    ),
    Scene("nobody is at the provider", PaymentScenario(), _UNRULY, down="refuse"),
    Scene(
        "some hang, and many are declined",
        PaymentScenario(
            on=_CHARGES,
            fail="hang",
            rate=0.3,
            count=5,
            decline_rate=0.3,
            decline_reason="velocity_exceeded",
        ),
        _UNRULY,
    ),
    Scene(
        "the provider stutters",
        PaymentScenario(
            on=_EVERYWHERE,
            fail="unavailable",
            burst=Burst(every_ms=1_000, for_ms=200),
            latency_ms=Latency(min=0, max=100),
        ),
        _UNRULY,
    ),
)


def payment_methods(known: Mapping[str, Method] = METHODS) -> tuple[str, ...]:
    """How the buyers pay: by every method there is, and by most that go well.

    About half would go well if nothing else happened.
    """
    return tuple(name for name, n in known.items() for _ in range(_share(name, n)))


def _share(name: str, method: Method) -> int:
    if name == _PAYS:
        return _OFTEN
    if method.challenge or method.fail.startswith(("error", "garbage")):
        return 4
    # A decline is soon told; who hangs keeps twenty others waiting.
    return 2
