"""When a circuit opens, what it lets through, and how it closes again."""

import pytest

from holdfast.resilience import CircuitOpen
from holdfast.resilience.circuit import Breaker, Outcome, State
from holdfast.resilience.events import CircuitCall

SUCCESS, FAILURE, SLOW = Outcome.SUCCESS, Outcome.FAILURE, Outcome.SLOW
SILENT = (Outcome.IGNORED, Outcome.CANCELLED)


class TestClosed:
    def test_opens_at_half_of_twenty(self, circuit):
        circuit.call(SUCCESS, times=10)
        circuit.call(FAILURE, times=9)
        assert circuit.state is State.CLOSED

        circuit.call(FAILURE)

        assert circuit.moves == [("closed", "open", "failure_rate")]

    def test_opens_also_when_it_is_a_success_that_makes_them_enough(self, circuit):
        circuit.call(FAILURE, times=10)
        circuit.call(SUCCESS, times=9)
        assert circuit.state is State.CLOSED

        circuit.call(SUCCESS)

        assert circuit.state is State.OPEN

    def test_judges_nobody_by_fewer_than_the_minimum(self, circuit):
        circuit.call(FAILURE, times=19)

        assert circuit.state is State.CLOSED

    def test_bears_with_what_fails_less_than_half_of_the_time(self, circuit):
        for _ in range(200):
            circuit.call(SUCCESS)
            circuit.call(SUCCESS)
            circuit.call(FAILURE)
            circuit.watch.now += 0.05

        assert circuit.state is State.CLOSED

    @pytest.mark.parametrize("outcome", [Outcome.TIMED_OUT, SLOW], ids=str)
    def test_opens_when_four_of_five_are_slow(self, circuit_of, outcome):
        circuit = circuit_of(failure_percent=100)
        circuit.call(SUCCESS, times=4)
        circuit.call(outcome, times=15)
        assert circuit.state is State.CLOSED

        circuit.call(outcome)

        assert circuit.moves == [("closed", "open", "slow_rate")]

    def test_a_time_limit_that_passed_is_a_failure_and_slow(self, circuit):
        circuit.call(Outcome.TIMED_OUT, times=3)

        standing = circuit.standing()
        assert (standing.calls, standing.failures, standing.slow) == (3, 3, 3)
        assert (standing.failure_ratio, standing.slow_ratio) == (1, 1)

    def test_opens_after_five_connections_that_nobody_took(self, circuit):
        circuit.call(Outcome.UNREACHABLE, times=4)
        assert circuit.state is State.CLOSED

        circuit.call(Outcome.UNREACHABLE)

        assert circuit.moves == [("closed", "open", "unreachable")]

    @pytest.mark.parametrize("between", [SUCCESS, SLOW, FAILURE], ids=str)
    def test_one_that_was_taken_starts_the_five_anew(self, circuit, between):
        circuit.call(Outcome.UNREACHABLE, times=4)
        circuit.call(between)
        circuit.call(Outcome.UNREACHABLE, times=4)

        assert circuit.state is State.CLOSED

    @pytest.mark.parametrize("silent", SILENT, ids=str)
    def test_what_tells_nothing_is_not_counted(self, circuit, silent):
        circuit.call(Outcome.UNREACHABLE, times=4)
        circuit.call(silent, times=100)

        assert circuit.standing().calls == 4
        circuit.call(Outcome.UNREACHABLE)
        assert circuit.state is State.OPEN

    def test_forgets_after_ten_seconds(self, circuit):
        circuit.call(FAILURE, times=19)
        circuit.watch.now += 10
        circuit.call(FAILURE)

        assert circuit.state is State.CLOSED
        assert circuit.standing().calls == 1


class TestOpen:
    def test_lets_nothing_through_and_says_for_how_long(self, circuit):
        circuit.open()
        circuit.watch.now += 0.5

        with pytest.raises(CircuitOpen) as refused:
            circuit.admit(1.0)

        assert refused.value.retry_after_seconds == pytest.approx(1.5)
        assert refused.value.dependency == "shipping"
        assert circuit.heard[-1] == CircuitCall("carrier", "rejected")

    @pytest.mark.parametrize(
        ("luck", "seconds"), [(0.0, 1.6), (0.5, 2.0), (1.0, 2.4)], ids=str
    )
    def test_lasts_two_seconds_give_or_take_a_fifth(self, circuit, luck, seconds):
        circuit.luck = luck
        circuit.open()

        assert circuit.standing().open_seconds == pytest.approx(seconds)

    def test_lasts_twice_as_long_each_time_up_to_a_minute(self, circuit):
        circuit.open()
        lasted = []
        for _ in range(8):
            lasted.append(circuit.standing().open_seconds)
            circuit.watch.now += lasted[-1]
            circuit.call(FAILURE, times=2)

        assert lasted == pytest.approx([2, 4, 8, 16, 32, 60, 60, 60])

    def test_a_call_from_before_it_opened_counts_for_nothing(self, circuit):
        early = circuit.admit(1.0)
        circuit.open()
        circuit.record(early, FAILURE, circuit.watch())

        assert circuit.standing().calls == 0
        circuit.watch.now += 2
        circuit.admit(1.0)
        circuit.record(early, FAILURE, circuit.watch())
        circuit.record(early, FAILURE, circuit.watch())
        assert circuit.state is State.HALF_OPEN


class TestHalfOpen:
    def test_lets_three_through_at_once(self, circuit):
        circuit.half_open()
        circuit.admit(1.0)
        circuit.admit(1.0)

        with pytest.raises(CircuitOpen) as refused:
            circuit.admit(1.0)

        assert refused.value.retry_after_seconds == 1
        assert circuit.standing().probing == 3

    def test_closes_after_five_successes(self, circuit):
        first = circuit.half_open()
        circuit.record(first, SUCCESS, circuit.watch())
        circuit.call(SUCCESS, times=3)
        assert circuit.state is State.HALF_OPEN

        circuit.call(SUCCESS)

        assert circuit.moves[-1] == ("half_open", "closed", "recovered")

    @pytest.mark.parametrize("bad", [FAILURE, SLOW, Outcome.TIMED_OUT], ids=str)
    def test_opens_again_after_two_failures_whatever_succeeded(self, circuit, bad):
        first = circuit.half_open()
        circuit.record(first, bad, circuit.watch())
        circuit.call(SUCCESS, times=4)
        assert circuit.state is State.HALF_OPEN

        circuit.call(bad)

        assert circuit.moves[-1] == ("half_open", "open", "probes_failed")

    @pytest.mark.parametrize("silent", SILENT, ids=str)
    def test_what_tells_nothing_gives_its_permit_back(self, circuit, silent):
        first = circuit.half_open()
        circuit.record(first, silent, circuit.watch())
        circuit.call(silent, times=50)

        assert circuit.standing().probing == 0
        assert circuit.state is State.HALF_OPEN

    def test_a_ticket_counts_once(self, circuit):
        first = circuit.half_open()
        for _ in range(9):
            circuit.record(first, SUCCESS, circuit.watch())

        assert circuit.state is State.HALF_OPEN

    def test_opens_again_when_a_probe_is_lost(self, circuit):
        circuit.half_open()
        circuit.watch.now += 1.9
        circuit.admit(1.0)
        circuit.watch.now += 0.1

        with pytest.raises(CircuitOpen):
            circuit.admit(1.0)

        assert circuit.moves[-1] == ("half_open", "open", "probe_lost")

    def test_notices_a_lost_probe_without_being_asked(self, circuit):
        circuit.half_open()
        circuit.tick(circuit.watch.now + 1.9)
        assert circuit.state is State.HALF_OPEN

        circuit.tick(circuit.watch.now + 2)

        assert circuit.state is State.OPEN

    def test_waits_for_ever_for_somebody_to_ask(self, circuit):
        circuit.record(circuit.half_open(), SUCCESS, circuit.watch())
        for _ in range(4):
            circuit.watch.now += 3_600
            circuit.tick(circuit.watch.now)
            circuit.call(SUCCESS)

        assert circuit.state is State.CLOSED

    def test_closed_but_not_for_long_it_goes_on_where_it_was(self, circuit):
        first = circuit.half_open()
        circuit.record(first, SUCCESS, circuit.watch())
        circuit.call(SUCCESS, times=4)
        circuit.watch.now += 9.9
        circuit.open()

        assert circuit.standing().open_seconds == pytest.approx(4)

    def test_closed_for_a_whole_window_it_begins_anew(self, circuit):
        first = circuit.half_open()
        circuit.record(first, SUCCESS, circuit.watch())
        circuit.call(SUCCESS, times=4)
        circuit.watch.now += 10
        circuit.open()

        assert circuit.standing().open_seconds == pytest.approx(2)


class TestForce:
    def test_open_refuses_everything_until_it_is_taken_back(self, circuit):
        circuit.force(State.FORCED_OPEN)
        circuit.watch.now += 1_000_000
        with pytest.raises(CircuitOpen) as refused:
            circuit.admit(1.0)
        assert refused.value.retry_after_seconds == 60

        circuit.force(None)

        circuit.call(SUCCESS)
        assert circuit.moves == [
            ("closed", "forced_open", "operator"),
            ("forced_open", "closed", "operator"),
        ]

    def test_open_says_when_it_will_be_taken_back(self, circuit):
        circuit.force(State.FORCED_OPEN, seconds=30)
        circuit.watch.now += 10

        with pytest.raises(CircuitOpen) as refused:
            circuit.admit(1.0)

        assert refused.value.retry_after_seconds == 20

    def test_disabled_looks_away(self, circuit):
        circuit.force(State.DISABLED)
        circuit.call(Outcome.UNREACHABLE, times=100)

        assert circuit.state is State.DISABLED
        assert circuit.standing().calls == 0

    def test_metrics_only_says_when_it_would_have_opened(self, circuit):
        circuit.force(State.METRICS_ONLY)
        circuit.call(FAILURE, times=100)
        circuit.call(SUCCESS, times=200)
        circuit.call(FAILURE, times=200)

        would = ("metrics_only", "metrics_only", "failure_rate")
        assert circuit.moves[1:] == [would, would]
        assert circuit.standing().calls == 500

    def test_saying_it_twice_changes_nothing(self, circuit):
        circuit.force(None)
        circuit.force(State.DISABLED)
        circuit.force(State.DISABLED)

        assert len(circuit.moves) == 1

    def test_taking_back_what_nobody_said_leaves_an_open_one_open(self, circuit):
        circuit.open()
        circuit.force(None)

        assert circuit.state is State.OPEN

    @pytest.mark.parametrize(
        "state", [State.OPEN, State.CLOSED, State.HALF_OPEN], ids=str
    )
    def test_nobody_decides_what_it_decides_itself(self, circuit, state):
        with pytest.raises(ValueError, match="nobody can"):
            circuit.force(state)


class TestHint:
    def test_makes_a_circuit_that_knows_nothing_look_carefully(self, circuit):
        assert circuit.hint()

        assert circuit.moves == [("closed", "half_open", "hint")]
        circuit.call(SUCCESS, times=5)
        assert circuit.state is State.CLOSED

    def test_is_not_believed_by_one_that_fares_well(self, circuit):
        circuit.call(SUCCESS, times=16)
        circuit.call(FAILURE, times=4)

        assert not circuit.hint()
        assert circuit.state is State.CLOSED

    def test_is_believed_by_one_that_has_seen_failures(self, circuit):
        circuit.call(SUCCESS, times=15)
        circuit.call(FAILURE, times=5)

        assert circuit.hint()

    def test_is_taken_once_in_a_window(self, circuit):
        circuit.hint()
        circuit.call(SUCCESS, times=5)
        circuit.watch.now += 9.9
        assert not circuit.hint()

        circuit.watch.now += 0.1
        assert circuit.hint()

    def test_does_not_touch_what_is_not_closed(self, circuit):
        circuit.force(State.DISABLED)

        assert not circuit.hint()


class TestAlone:
    def test_works_without_anybody_listening(self):
        breaker = Breaker("search", timer=lambda: 0.0)
        for _ in range(5):
            breaker.record(breaker.admit(1.0), Outcome.UNREACHABLE, 0.0)

        with pytest.raises(CircuitOpen) as refused:
            breaker.admit(1.0)

        assert refused.value.dependency == "search"
        assert breaker.standing().state is State.OPEN
