"""What circuits, throttles, bulkheads and retries did, counted for Prometheus.

Labels are names of dependencies and words of ours: an installation has about ten of
each. Gauges are of this process; where several share a registry, numbers of calls are
added up and ratios are those of the worst.
"""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast.platform.guard import Event, GuardStanding
from holdfast.resilience.circuit import State
from holdfast.resilience.events import (
    Attempted,
    BulkheadRefused,
    CircuitCall,
    CircuitMoved,
    FellBack,
    HeldBack,
    RetryRefused,
)


class CircuitMetrics:
    """The numbers of one process about whom it calls."""

    def __init__(self, registry: CollectorRegistry) -> None:
        dep = ("dep",)

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"holdfast_{name}", what, (*dep, *labels), registry=registry)

        def gauge(name: str, what: str, mode: str, *labels: str) -> Gauge:
            return Gauge(
                f"holdfast_{name}",
                what,
                (*dep, *labels),
                registry=registry,
                multiprocess_mode=mode,  # type: ignore[arg-type]
            )

        self._calls = counter(
            "circuit_calls",
            "Calls to a dependency, by what they told of it.",
            "outcome",
        )
        self._transitions = counter(
            "circuit_transitions", "Changes of state.", "from", "to", "reason"
        )
        self._retries = counter(
            "retry_attempts", "Attempts, by number and end.", "attempt", "outcome"
        )
        self._exhausted = counter(
            "retry_budget_exhausted", "Retries that the budget did not allow."
        )
        self._held_back = counter(
            "throttle_held_back", "Calls held back from who turns most of them away."
        )
        self._full = counter("bulkhead_full", "Calls for which there was no place.")
        self._fallbacks = counter("fallbacks", "Answers of another way.", "way")
        self._state = gauge(
            "circuit_state", "Processes in which it is so.", "livesum", "state"
        )
        self._failing = gauge(
            "circuit_failure_ratio", "Failures among the calls of 10 s.", "livemax"
        )
        self._slow = gauge(
            "circuit_slow_ratio", "Slow ones among the calls of 10 s.", "livemax"
        )
        self._probing = gauge("circuit_half_open_inflight", "Probes.", "livesum")
        self._open_seconds = gauge(
            "circuit_open_remaining_seconds", "How much longer it is open.", "livemax"
        )
        self._tokens = gauge(
            "retry_budget_tokens", "Retries that could be made now.", "livesum"
        )
        self._amplification = gauge(
            "retry_amplification_ratio", "Attempts a request in 10 s.", "livemax"
        )
        self._in_use = gauge("bulkhead_in_use", "Calls under way.", "livesum")
        self._waiting = gauge("bulkhead_waiting", "Callers who wait.", "livesum")
        self._share = gauge("throttle_share", "Which share is held back.", "livemax")
        # Children are kept: finding one costs more than counting.
        self._call = lru_cache(1024)(self._calls.labels)

    def count(self, event: Event) -> None:
        """Count what a policy says has happened."""
        match event:
            case CircuitCall():
                self._call(event.dependency, event.outcome).inc()
            case CircuitMoved():
                moved = (event.before, event.after, event.reason)
                self._transitions.labels(event.dependency, *moved).inc()
            case Attempted():
                attempt = (str(event.attempt), event.outcome)
                self._retries.labels(event.dependency, *attempt).inc()
            case RetryRefused():
                self._exhausted.labels(event.dependency).inc()
            case HeldBack():
                self._held_back.labels(event.dependency).inc()
            case BulkheadRefused():
                self._full.labels(event.dependency).inc()
            case FellBack():
                self._fallbacks.labels(event.dependency, event.way).inc()

    def show(self, standing: GuardStanding) -> None:
        """Show how a dependency stands."""
        circuit = standing.circuit
        dep = circuit.dependency
        for state in State:
            self._state.labels(dep, state.value).set(circuit.state is state)
        self._failing.labels(dep).set(circuit.failure_ratio)
        self._slow.labels(dep).set(circuit.slow_ratio)
        self._probing.labels(dep).set(circuit.probing)
        self._open_seconds.labels(dep).set(circuit.open_seconds)
        self._tokens.labels(dep).set(standing.retry_tokens)
        self._amplification.labels(dep).set(standing.amplification)
        self._in_use.labels(dep).set(standing.in_use)
        self._waiting.labels(dep).set(standing.waiting)
        self._share.labels(dep).set(standing.held_back_share)
