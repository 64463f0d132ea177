"""What a payment provider in particular can be told to do wrong."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from holdfast.simulators.scenario import Mishap, Scenario, Share

Operation: TypeAlias = Literal[
    "charge", "capture", "void", "cancel", "refund", "cancel_refund", "lookup"
]
_Reason: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]


class PaymentMishap(Mishap, frozen=True):
    """*decline_reason*: this very charge is declined."""

    decline_reason: _Reason | None = None


class PaymentScenario(Scenario, frozen=True):
    on: tuple[Operation, ...] = ()
    decline_rate: Share = 0.0
    decline_reason: _Reason = "do_not_honor"

    @property
    def operations(self) -> tuple[str, ...]:
        return self.on
