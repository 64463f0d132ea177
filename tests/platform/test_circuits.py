"""Circuits hear operators and other processes, and work without either."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from prometheus_client import CollectorRegistry

from holdfast.platform import decisions, dependencies
from holdfast.platform.circuit_metrics import CircuitMetrics
from holdfast.platform.circuits import Circuits, followed
from holdfast.platform.redis import Cache
from holdfast.platform.settings import Settings
from holdfast.resilience import CircuitOpen, Rejected
from holdfast.resilience.circuit import Outcome, State

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
CARRIER, PAYMENT = dependencies.CARRIER, dependencies.PAYMENT


class Watch:
    """Both clocks, of the wall and of the process."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 100)


class Shared:
    """What several processes remember, in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, float]] = {}

    async def get(self, key):
        return self.kept.get(key, (None, 0))[0]

    async def set(self, key, value, *, ttl_seconds):
        self.kept[key] = value, ttl_seconds


@pytest.fixture(autouse=True)
def logged():
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def a_process(watch):
    """The circuits of a process."""

    def make(**more) -> Circuits:
        return Circuits(clock=watch.wall, timer=watch, chance=lambda: 0.5, **more)

    return make


def breaks(circuits: Circuits, dependency: str = CARRIER) -> None:
    breaker = circuits[dependency].breaker
    for _ in range(5):
        breaker.record(breaker.admit(1.0), Outcome.UNREACHABLE, 100.0)


def state(circuits: Circuits, dependency: str = CARRIER) -> State:
    return circuits[dependency].breaker.state


class TestOverride:
    def test_puts_a_circuit_where_an_operator_wants_it(self, a_process):
        circuits = a_process()

        circuits.override({CARRIER: {"mode": "forced_open"}})

        assert state(circuits) is State.FORCED_OPEN
        assert state(circuits, PAYMENT) is State.CLOSED
        circuits.override({})
        assert state(circuits) is State.CLOSED

    def test_ends_when_its_time_is_over(self, a_process, watch):
        circuits = a_process()
        until = NOW + timedelta(seconds=30)
        circuits.override({CARRIER: {"mode": "disabled", "until": until.isoformat()}})
        watch.seconds += 29
        circuits.tick(watch())
        assert state(circuits) is State.DISABLED
        assert circuits.standings()[CARRIER].override.until == until

        watch.seconds += 1
        circuits.tick(watch())

        assert state(circuits) is State.CLOSED
        assert circuits.standings()[CARRIER].override is None

    def test_says_how_long_it_refuses(self, a_process, watch):
        circuits = a_process()
        until = (NOW + timedelta(seconds=30)).isoformat()
        circuits.override({CARRIER: {"mode": "forced_open", "until": until}})

        with pytest.raises(CircuitOpen) as refused:
            circuits[CARRIER].breaker.admit(1.0)

        assert refused.value.retry_after_seconds == pytest.approx(30)
        assert refused.value.dependency == "shipping"

    @pytest.mark.parametrize(
        "value",
        [None, 7, "forced_open", {}, {"mode": "ajar"}, {"mode": "open"}],
        ids=str,
    )
    def test_that_makes_no_sense_is_told_and_passed_over(
        self, a_process, logged, value
    ):
        circuits = a_process()

        circuits.override({CARRIER: value, PAYMENT: {"mode": "disabled"}})

        assert state(circuits) is State.CLOSED
        assert state(circuits, PAYMENT) is State.DISABLED
        assert "control_not_understood" in {line["event"] for line in logged}

    def test_of_a_circuit_that_is_not_there_is_passed_over(self, a_process):
        a_process().override({"fax": {"mode": "disabled"}})


class TestHints:
    async def test_what_opened_in_one_process_is_looked_at_by_the_others(
        self, a_process
    ):
        shared, one, other = Shared(), a_process(), a_process()
        breaks(one)
        await one.exchange(shared)
        await other.exchange(shared)

        assert state(one) is State.OPEN
        assert state(other) is State.HALF_OPEN
        assert state(other, PAYMENT) is State.CLOSED
        assert other.standings()[CARRIER].reported_open
        assert not one.standings()[CARRIER].reported_open
        assert [ttl for _, ttl in shared.kept.values()] == [2.0]

    async def test_a_process_that_fares_well_goes_on(self, a_process, watch):
        shared, one, other = Shared(), a_process(), a_process()
        breaker = other[CARRIER].breaker
        for _ in range(20):
            breaker.record(breaker.admit(1.0), Outcome.SUCCESS, watch())
        breaks(one)
        await one.exchange(shared)
        await other.exchange(shared)

        assert state(other) is State.CLOSED

    async def test_a_process_that_starts_begins_carefully(self, a_process):
        shared, one = Shared(), a_process()
        breaks(one)
        await one.exchange(shared)
        newcomer = a_process()
        await newcomer.exchange(shared)
        breaker = newcomer[CARRIER].breaker

        for _ in range(3):
            breaker.admit(1.0)
        with pytest.raises(CircuitOpen):
            breaker.admit(1.0)

    async def test_are_told_once(self, a_process):
        shared, one = Shared(), a_process()
        breaks(one)
        await one.exchange(shared)
        shared.kept.clear()
        await one.exchange(shared)

        assert shared.kept == {}

    async def test_reach_others_through_redis(self, a_process, valkey):
        cache = Cache.connect(valkey.url)
        one, other = a_process(), a_process()
        breaks(one)
        await one.exchange(cache)
        await other.exchange(cache)

        assert state(other) is State.HALF_OPEN
        await cache.delete(f"holdfast:circuit:{CARRIER}")
        await cache.close()

    async def test_without_redis_change_nothing(self, a_process):
        cache = Cache.connect("redis://127.0.0.1:1/0")
        one, other = a_process(), a_process()
        breaks(one)
        await one.exchange(cache)
        await other.exchange(cache)

        assert (state(one), state(other)) == (State.OPEN, State.CLOSED)
        await cache.close()


class TestFollowed:
    async def test_goes_on_whatever_fails(self, a_process, promised, logged):
        class Broken(Shared):
            asked = 0

            async def get(self, key):
                Broken.asked += 1
                raise RuntimeError("odd")

        async with followed(a_process(), Broken()):

            async def asked_twice():
                return Broken.asked > 1

            await promised(asked_twice)

        assert {"circuits_not_followed"} == {line["event"] for line in logged}

    async def test_notices_a_probe_that_nobody_gives_back(self, promised):
        circuits = Circuits(chance=lambda: 0.0)
        breaks(circuits)
        breaker = circuits[CARRIER].breaker

        async def half_open():
            with suppress(CircuitOpen):
                breaker.admit(0.001)
            return breaker.state is State.HALF_OPEN

        await promised(half_open)
        async with followed(circuits):

            async def opened_again():
                return breaker.state is State.OPEN

            await promised(opened_again)


class TestMetrics:
    async def test_show_what_happened_and_how_it_stands(
        self, a_process, registry, watch
    ):
        circuits = a_process(metrics=CircuitMetrics(registry))
        breaks(circuits)
        with suppress(CircuitOpen):
            circuits[CARRIER].breaker.admit(1.0)
        circuits.tick(watch())

        def read(name: str, **labels: str) -> float | None:
            return registry.get_sample_value(name, {"dep": CARRIER, **labels})

        assert read("holdfast_circuit_calls_total", outcome="failure") == 5
        assert read("holdfast_circuit_calls_total", outcome="rejected") == 1
        moved = {"from": "closed", "to": "open", "reason": "unreachable"}
        assert read("holdfast_circuit_transitions_total", **moved) == 1
        assert read("holdfast_circuit_state", state="open") == 1
        assert read("holdfast_circuit_state", state="closed") == 0
        assert read("holdfast_circuit_open_remaining_seconds") == 2
        assert read("holdfast_retry_budget_tokens") == 3
        assert read("holdfast_bulkhead_in_use") == 0

    async def test_count_what_the_guard_does(self, a_process, registry):
        circuits = a_process(metrics=CircuitMetrics(registry))
        pipeline = circuits[CARRIER].around(
            timeout_seconds=1,
            total_seconds=5,
            failures=(OSError,),
            again_after=(OSError,),
        )

        async def fail():
            raise OSError

        for _ in range(3):
            with suppress(OSError):
                await pipeline(fail)

        def read(name: str, **labels: str) -> float | None:
            return registry.get_sample_value(name, {"dep": CARRIER, **labels})

        attempts = {
            (attempt, outcome): read(
                "holdfast_retry_attempts_total", attempt=attempt, outcome=outcome
            )
            for attempt, outcome in [("1", "retried"), ("3", "failure")]
        }
        assert attempts == {("1", "retried"): 2, ("3", "failure"): 1}
        assert read("holdfast_retry_budget_exhausted_total") == 2


class TestNames:
    def test_are_those_of_the_settings(self):
        provider = (
            '[{"id": "hub", "title": "Hub", "issuer": "https://hub.example", '
            '"client_id": "a", "client_secret": "b"}]'
        )
        settings = Settings.read({"HOLDFAST_OPENID_PROVIDERS": provider})
        names = dependencies.names(settings)

        assert names == [
            *("payment", "carrier", "mail", "keys", "storage", "redis"),
            "openid-hub",
        ]
        circuits = Circuits(names)
        assert "openid-hub" in circuits
        assert circuits["openid-hub"].limits.alias == "sign-in"
        assert "openid" not in circuits

    def test_of_nobody_are_refused(self):
        with pytest.raises(KeyError):
            dependencies.limits_of("fax")


class TestDecisions:
    def test_are_noted_for_the_request_that_they_were_about(self, a_process):
        circuits, scope = a_process(), {}
        circuits.override({CARRIER: {"mode": "forced_open"}})
        token = decisions.begin(scope)
        for _ in range(3):
            with suppress(CircuitOpen):
                circuits[CARRIER].breaker.admit(1.0)
        decisions.end(token)
        with suppress(CircuitOpen):
            circuits[CARRIER].breaker.admit(1.0)

        assert scope == {"holdfast.decisions": ["circuit:carrier=rejected"]}

    async def test_name_what_was_full_or_held_back(self, a_process):
        circuits, scope = a_process(), {}
        pipeline = circuits[PAYMENT].around(timeout_seconds=5, failures=(OSError,))

        async def turn_away():
            raise Rejected(1)

        token = decisions.begin(scope)
        for _ in range(60):
            with suppress(Rejected):
                await pipeline(turn_away)
        circuits[PAYMENT]._bulkhead._free = circuits[PAYMENT]._bulkhead._room = 0
        with suppress(Rejected):
            await circuits[PAYMENT]._bulkhead(turn_away)
        decisions.end(token)

        assert scope["holdfast.decisions"] == [
            "throttle:payment=held",
            "bulkhead:payment=full",
        ]

    def test_of_one_request_are_bounded(self):
        scope = {}
        token = decisions.begin(scope)
        for number in range(100):
            decisions.note(f"circuit:{number}=rejected")
        decisions.end(token)

        assert len(scope["holdfast.decisions"]) == 20


class TestBare:
    async def test_leaves_time_limits_and_retries_alone(self, a_process):
        bare, asked = a_process(bare=True), []
        pipeline = bare[CARRIER].around(
            timeout_seconds=1,
            total_seconds=5,
            failures=(OSError,),
            unreachable=(OSError,),
            again_after=(OSError,),
        )

        async def fail():
            asked.append(1)
            raise OSError

        for _ in range(10):
            with suppress(OSError):
                await pipeline(fail)

        assert len(asked) == 30
        assert state(bare) is State.CLOSED
