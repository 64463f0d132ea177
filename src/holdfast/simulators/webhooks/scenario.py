"""How webhooks can be told to misbehave, and the dice for it."""

import random
from typing import Annotated

import msgspec

from holdfast.simulators.latency import Latency
from holdfast.simulators.scenario import Seed, Share


class WebhookScenario(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """*duplicate* copies more; *shuffle* so many leave in another order."""

    duplicate: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    delay_ms: Latency | None = None
    shuffle: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    drop_rate: Share = 0.0
    before_answer: bool = False
    bad_signature_rate: Share = 0.0
    skew_seconds: Annotated[int, msgspec.Meta(ge=-(10**9), le=10**9)] = 0
    seed: Seed = 0


class Chances:
    """One source of chance a question, so that one answer moves no other's."""

    def __init__(self, scenario: WebhookScenario | None) -> None:
        self._scenario = scenario or WebhookScenario()
        seed = self._scenario.seed
        self._drops = random.Random(f"{seed}: drops")
        self._delays = random.Random(f"{seed}: delays")
        self._orders = random.Random(f"{seed}: orders")
        self._signatures = random.Random(f"{seed}: signatures")

    def dropped(self) -> bool:
        return self._drops.random() < self._scenario.drop_rate

    def forged(self) -> bool:
        return self._signatures.random() < self._scenario.bad_signature_rate

    def delay_seconds(self) -> float:
        delay = self._scenario.delay_ms
        return delay.draw_seconds(self._delays) if delay else 0.0

    def shuffled(self, items: list[str]) -> list[str]:
        return self._orders.sample(items, len(items))
