"""The payment methods there are, and what each one does every time it is used.

A method misbehaves on every call, a repeated one too; the charge that it made,
or did not make, is found by its key.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from holdfast.simulators.clock import HOUR
from holdfast.simulators.scenario import Fail

Refunds: TypeAlias = Literal["succeed", "fail", "wait", "wait_then_fail"]

REFUND_WAIT = HOUR
"""By the simulator's clock."""


@dataclass(frozen=True, slots=True)
class Method:
    """*challenge*: the buyer is asked first, and only then is it declined."""

    decline_reason: str | None = None
    fail: Fail = "none"
    latency_seconds: float = 0
    challenge: bool = False
    refunds: Refunds = "succeed"


METHODS = {
    "pm_card_ok": Method(),
    "pm_card_declined": Method(decline_reason="card_declined"),
    "pm_insufficient_funds": Method(decline_reason="insufficient_funds"),
    "pm_expired_card": Method(decline_reason="expired_card"),
    "pm_incorrect_cvc": Method(decline_reason="incorrect_cvc"),
    "pm_lost_card": Method(decline_reason="lost_card"),
    "pm_do_not_honor": Method(decline_reason="do_not_honor"),
    "pm_fraud": Method(decline_reason="suspected_fraud"),
    "pm_card_3ds": Method(challenge=True),
    "pm_card_3ds_declined": Method(challenge=True, decline_reason="card_declined"),
    "pm_timeout_before": Method(fail="hang"),
    "pm_timeout_after": Method(fail="hang_after"),
    "pm_error": Method(fail="error"),
    "pm_error_after": Method(fail="error_after"),
    "pm_garbage": Method(fail="garbage"),
    "pm_garbage_after": Method(fail="garbage_after"),
    "pm_rate_limited": Method(fail="rate_limited"),
    "pm_slow": Method(latency_seconds=2),
    "pm_refund_fails": Method(refunds="fail"),
    "pm_refund_pending": Method(refunds="wait"),
    "pm_refund_pending_fails": Method(refunds="wait_then_fail"),
}
