"""How long each request of the shop may take, and what is counted of those cut short.

A route has the seconds that its line in the table says, ten as a rule. One that asks
somebody outside has at least what the settings grant them, and time to make something
of the answer: an operator who gives the payment provider more patience must not find it
cut short by another number elsewhere.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter

from holdfast.api.policy import Asks, Route
from holdfast.platform import telemetry
from holdfast.platform.settings import Settings
from holdfast.resilience.asgi import Scope
from holdfast.resilience.asgi.allowance import Allowance
from holdfast.resilience.events import (
    BudgetClamped,
    BudgetEnded,
    ClientLeft,
    DeadlineEvent,
    FinishedLate,
)

# A charge may take all of its patience, asking what became of it a fifth more, and then
# the outcome is written down; the worker takes the order up after the same time.
_SECONDS: dict[Asks, Callable[[Settings], float]] = {
    "payment": lambda settings: 1.5 * settings.payment_timeout_seconds + 3,
    "carrier": lambda settings: 4 * settings.carrier_timeout_seconds + 3,
    # Its keys, the code, and who it is.
    "openid": lambda settings: 3 * settings.openid_timeout_seconds + 3,
}


def seconds_of(route: Route, settings: Settings) -> float:
    """The budget of a route in a shop with these settings."""
    if route.asks is None:
        return route.seconds
    return max(route.seconds, _SECONDS[route.asks](settings))


def allowances(
    routes: Iterable[Route], settings: Settings
) -> Callable[[Scope], Allowance]:
    """What finds the budget of a request whose route is known."""
    by_route = {id(route): Allowance(seconds_of(route, settings)) for route in routes}

    def find(scope: Scope) -> Allowance:
        return by_route[id(scope["holdfast.route"])]

    return find


class DeadlineMetrics:
    """Counts what the budgets ended, and what was wasted on it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._exceeded = Counter(
            "holdfast_deadline_exceeded",
            "Requests whose time ran out, by where they were and what came of them.",
            ("stage", "outcome"),
            registry=registry,
        )
        self._not_started = Counter(
            "holdfast_deadline_not_started",
            "Requests that were not begun, because their time could not suffice.",
            ("stage",),
            registry=registry,
        )
        self._left = Counter(
            "holdfast_client_disconnects",
            "Clients that left before they were answered, by how far the request was.",
            ("phase",),
            registry=registry,
        )
        self._wasted = Counter(
            "holdfast_wasted_work_seconds",
            "Time spent on requests that were cut short, by where they were.",
            ("stage",),
            registry=registry,
        )
        self._clamped = Counter(
            "holdfast_timeout_budget_clamped",
            "Requests that asked for more time than there is, or for next to none.",
            registry=registry,
        )
        self._late = Counter(
            "holdfast_deadline_finished_late",
            "Requests that were finished after their client was told that it is open.",
            ("result",),
            registry=registry,
        )

    def count(self, event: DeadlineEvent) -> None:
        """What the layer tells."""
        match event:
            case BudgetEnded(stage, outcome, wasted):
                self._exceeded.labels(stage, outcome).inc()
                if outcome != "unknown":
                    self._wasted.labels(stage).inc(wasted)
            case ClientLeft(phase, stage, wasted):
                self._left.labels(phase).inc()
                if wasted:
                    self._wasted.labels(stage).inc(wasted)
            case BudgetClamped():
                self._clamped.inc()
            case FinishedLate(seconds, error):
                self._late.labels("failed" if error else "done").inc()
                if error is not None:
                    # Nobody else will tell of it: its client has had an answer.
                    telemetry.logger().error(
                        "request_failed_late", exc_info=error, seconds=round(seconds, 3)
                    )
            case _:
                self._not_started.labels(event.stage).inc()
