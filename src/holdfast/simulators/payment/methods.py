"""The payment methods there are, and what each one does every time it is used.

A method misbehaves on every call, a repeated one too; the charge that it made,
or did not make, is found by its key.
"""

from dataclasses import dataclass

from holdfast.simulators.scenario import Fail


@dataclass(frozen=True, slots=True)
class Method:
    decline_reason: str | None = None
    fail: Fail = "none"
    latency_seconds: float = 0


METHODS = {
    "pm_card_ok": Method(),
    "pm_card_declined": Method(decline_reason="card_declined"),
    "pm_insufficient_funds": Method(decline_reason="insufficient_funds"),
    "pm_timeout_before": Method(fail="hang"),
    "pm_timeout_after": Method(fail="hang_after"),
    "pm_error": Method(fail="error"),
    "pm_error_after": Method(fail="error_after"),
    "pm_garbage": Method(fail="garbage"),
    "pm_garbage_after": Method(fail="garbage_after"),
    "pm_slow": Method(latency_seconds=2),
}
