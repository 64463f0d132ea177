import pytest

from holdfast.resilience.concurrency import Aimd, Fixed, Gradient, Window


def window(p90=0.02, *, dropped=0, inflight=16, successes=100, full=True):
    return Window(0.5, successes, dropped, p90, p90, p90, inflight, inflight, full)


class TestFixed:
    def test_stays(self):
        limit = Fixed(7)

        assert limit.update(window(9.9, dropped=99)).limit == 7
        assert limit.drop().limit == 7
        assert limit.current == 7

    def test_needs_at_least_one(self):
        with pytest.raises(ValueError, match="at least one"):
            Fixed(0)


class TestAimd:
    def test_takes_one_more_while_all_goes_well(self):
        step = Aimd(initial=16).update(window())

        assert (step.limit, step.reason) == (17, "room")

    def test_takes_a_tenth_less_when_a_deadline_is_missed(self):
        limit = Aimd(initial=20)

        assert limit.drop().limit == 18
        assert limit.current == 18

    def test_does_not_grow_in_a_window_that_missed_one(self):
        step = Aimd(initial=16).update(window(dropped=1))

        assert (step.limit, step.reason) == (16, "hold")

    def test_does_not_grow_when_half_of_it_is_idle(self):
        assert Aimd(initial=16).update(window(inflight=7)).limit == 16
        assert Aimd(initial=16).update(window(inflight=8)).limit == 17

    def test_takes_less_when_calls_are_slower_than_anybody_waits(self):
        step = Aimd(initial=20).update(window(5.1))

        assert (step.limit, step.reason) == (18, "slow")

    def test_stays_within_its_bounds(self):
        high, low = Aimd(initial=16, most=16), Aimd(initial=4)

        assert high.update(window()).limit == 16
        assert low.drop().limit == 4


@pytest.mark.parametrize("algorithm", [Aimd, Gradient])
@pytest.mark.parametrize(
    "bounds",
    [
        {"initial": 3, "least": 4},
        {"initial": 9, "most": 8},
        {"initial": 0, "least": 0},
    ],
    ids=["below", "above", "nothing"],
)
def test_refuses_bounds_that_leave_no_place_for_it(algorithm, bounds):
    with pytest.raises(ValueError, match="least <= initial <= most"):
        algorithm(**bounds)
