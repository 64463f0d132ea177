import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.concurrency import Gradient, Window


def window(seconds=0.02, *, inflight=16.0, dropped=0, full=True, most=None):
    """A hundred calls that took so long each, so many at once."""
    return Window(
        seconds=0.5,
        successes=100,
        dropped=dropped,
        p50_seconds=seconds,
        p90_seconds=seconds,
        useful_seconds=seconds,
        max_inflight=most or int(inflight),
        mean_inflight=inflight,
        was_full=full,
    )


def serve(limit, windows, seconds):
    """So many windows of a service that takes *seconds* of the calls at once."""
    return [
        limit.update(window(seconds(limit.current), inflight=float(limit.current)))
        for _ in range(windows)
    ]


class TestRoom:
    def test_is_taken_while_calls_are_no_slower_for_it(self):
        limit = Gradient()

        steps = serve(limit, 15, lambda _: 0.02)

        assert steps[0].limit == 17
        assert {step.reason for step in steps} <= {"room", "probe"}
        assert limit.current > 80

    def test_is_taken_in_longer_steps_on_a_long_way(self):
        limits = [step.limit for step in serve(Gradient(), 12, lambda _: 0.02)]

        assert limits[1] - limits[0] == 1
        assert limits[-1] > 1.15 * limits[-2]

    def test_ends_at_the_most(self):
        limit = Gradient(most=40)
        serve(limit, 40, lambda _: 0.02)

        assert limit.current == 40

    def test_is_not_taken_by_who_does_not_need_it(self):
        step = Gradient().update(window(full=False))

        assert (step.limit, step.reason) == (16, "hold")

    def test_is_not_taken_for_a_burst_that_left_permits_unused(self):
        step = Gradient().update(window(inflight=9.0))

        assert (step.limit, step.reason) == (16, "hold")

    def test_that_nobody_needs_is_given_back_by_and_by(self):
        limit = Gradient(initial=60)
        reasons = set()
        while limit.current > 25:
            before = limit.current
            reasons.add(limit.update(window(inflight=5.0, full=False)).reason)
            assert 0 < before - limit.current <= 4

        assert reasons == {"unused"}
        assert limit.update(window(inflight=5.0, full=False)).reason == "hold"


class TestThroughput:
    def test_is_kept_where_it_was_best(self):
        limit = Gradient()

        steps = serve(limit, 80, lambda n: max(0.02, 0.02 * (n / 20) ** 1.5))

        late = [step.limit for step in steps[30:]]
        assert min(late) >= 19
        assert max(late) <= 21
        assert late.count(20) > 0.7 * len(late)

    def test_that_was_better_with_fewer_calls_is_gone_back_to_without_need(self):
        limit = Gradient()
        for _ in range(5):
            assert limit.update(window(0.02, inflight=12.0)).reason == "hold"

        step = limit.update(window(0.03, inflight=13.0))

        assert (step.limit, step.reason) == (12, "throughput")


class TestOverload:
    def overloaded(self):
        """A limit that knows its service, all of whose calls take eight times as long
        from now on."""
        limit = Gradient(initial=40)
        serve(limit, 20, lambda n: max(0.02, 0.02 * (n / 40) ** 1.5))
        assert limit.current in range(38, 43)
        return limit

    def test_is_braked_by_sixths(self):
        limit = self.overloaded()
        steps = serve(limit, 12, lambda n: 0.02 * (n / 10) ** 1.5)

        braked = [step for step in steps if step.reason == "queueing"]
        assert len(braked) >= 5
        for before, after in itertools.pairwise(braked):
            assert after.limit == int(before.limit * 0.85)
        assert limit.current <= 15

    def test_is_not_believed_when_fewer_calls_are_no_faster(self):
        limit = self.overloaded()
        steps = serve(limit, 20, lambda n: 0.16 * max(1, (n / 40) ** 1.5))

        reasons = [step.reason for step in steps]
        assert "adopted" in reasons
        adopted = steps[reasons.index("adopted")]
        assert adopted.baseline_seconds == pytest.approx(0.16)
        assert min(step.limit for step in steps) > 20
        assert limit.current >= 38

    def test_that_was_not_believed_raises_the_limit_to_twice_at_most(self):
        limit = self.overloaded()
        steps = serve(limit, 60, lambda _: 1.0)

        assert 70 < max(step.limit for step in steps) < 95

    def test_is_nothing_the_baseline_learns(self):
        limit = self.overloaded()
        before = limit.update(window(0.02, inflight=40.0)).baseline_seconds

        step = limit.update(window(0.16, inflight=40.0))

        assert step.baseline_seconds <= 1.02 * before

    def test_a_latency_that_does_not_follow_the_calls_is_learned_slowly(self):
        limit = Gradient(most=16, least=15)
        for _ in range(40):
            limit.update(window(0.02, inflight=16.0))
            limit.update(window(0.02, inflight=15.0))
        before = limit.update(window(0.02)).baseline_seconds
        learned = [before]
        for number in range(40):
            inflight = 16.0 - number % 2
            learned.append(
                limit.update(window(0.023, inflight=inflight)).baseline_seconds
            )

        for earlier, later in itertools.pairwise(learned):
            assert later <= 1.0201 * earlier
        assert learned[-1] == pytest.approx(0.023, rel=0.03)

    def test_without_load_the_baseline_follows_both_ways(self):
        limit = Gradient()
        for _ in range(60):
            slow = limit.update(window(0.05, full=False))
        assert slow.baseline_seconds == pytest.approx(0.05, rel=0.01)

        for _ in range(60):
            fast = limit.update(window(0.01, full=False))

        assert fast.baseline_seconds == pytest.approx(0.01, rel=0.01)


class TestMissedDeadlines:
    def test_one_takes_a_step_at_once(self):
        limit = Gradient(initial=40)

        step = limit.drop()

        assert (step.limit, step.reason) == (38, "drop")
        assert step.gradient == 1

    def test_a_fifth_of_a_window_take_a_tenth(self):
        step = Gradient(initial=100).update(window(dropped=25))

        assert (step.limit, step.reason) == (90, "drops")

    def test_take_a_permit_at_least(self):
        assert Gradient(initial=6).update(window(dropped=99)).limit == 5

    def test_never_take_the_last(self):
        limit = Gradient(initial=4)
        limit.drop()
        limit.update(window(dropped=99))

        assert limit.current == 4

    def test_fewer_do_not_hide_what_the_window_shows(self):
        step = Gradient().update(window(dropped=24))

        assert step.reason == "room"


@given(
    st.lists(
        st.tuples(
            st.floats(1e-6, 100),
            st.floats(1, 300),
            st.integers(0, 200),
            st.booleans(),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_stays_within_its_bounds_whatever_it_sees(seen):
    limit = Gradient(initial=20, least=5, most=60)
    for seconds, inflight, dropped, full, drops in seen:
        step = limit.update(
            window(seconds, inflight=inflight, dropped=dropped, full=full)
        )
        if drops:
            step = limit.drop()

        assert 5 <= step.limit == limit.current <= 60
        assert step.gradient > 0
