import pytest

from holdfast.resilience.concurrency import COHORTS, Entry, Queue, Reason

PAY, BUY, BROWSE, OPERATE, BULK = (tier * COHORTS for tier in range(5))


def queue(**changes):
    return Queue(**{"chance": lambda: 1.0, **changes})


def waiting(it, *levels, at=0.0, limit=100, **fields):
    entries = [Entry(n, level, at, **fields) for n, level in enumerate(levels)]
    for entry in entries:
        assert it.join(entry, limit) is None
    return entries


def served(it, now=0.0):
    """The levels in the order they are served, until nobody waits."""
    levels = []
    while (entry := it.take(now)[0]) is not None:
        levels.append(entry.level)
    return levels


class TestOrder:
    def test_a_lower_tier_waits_until_the_higher_are_empty(self):
        it = queue()
        waiting(it, BULK, BROWSE, PAY, OPERATE, BUY)

        assert served(it) == [PAY, BUY, BROWSE, OPERATE, BULK]

    def test_within_a_tier_it_is_that_of_arrival_whatever_the_cohort(self):
        it = queue()
        waiting(it, BROWSE + 90, BROWSE + 3, BROWSE + 127, BROWSE)

        assert served(it) == [BROWSE + 90, BROWSE + 3, BROWSE + 127, BROWSE]

    def test_a_standing_tier_serves_the_newest_first(self):
        it = queue()
        old = Entry("old", BROWSE, 0.0)
        new = Entry("new", BROWSE, 0.11)
        for entry in (old, new):
            it.join(entry, 100)

        assert it.is_standing(2, 0.11)
        assert it.take(0.11)[0] is new
        assert it.take(0.11)[0] is old

    def test_a_tier_that_was_empty_does_not_stand(self):
        it = queue()
        (first,) = waiting(it, BROWSE)
        it.leave(first)
        waiting(it, BROWSE, at=5.0)

        assert not it.is_standing(2, 5.05)
        assert not it.is_standing(3, 5.05)

    def test_only_the_tier_that_stands_turns_around(self):
        it = queue()
        waiting(it, BULK)
        first, second = waiting(it, BUY, BUY, at=9.0)

        assert it.is_standing(4, 9.0)
        assert [it.take(9.0)[0], it.take(9.0)[0]] == [first, second]

    def test_one_tier_can_be_asked_alone(self):
        it = queue()
        waiting(it, PAY, BULK)

        assert it.take(0.0, tier=4)[0].level == BULK
        assert it.take(0.0, tier=4) == (None, [])
        assert len(it) == 1


class TestLength:
    def test_everybody_may_wait_up_to_twice_the_limit(self):
        it = queue(chance=lambda: 0.0)

        assert [it.join(Entry(n, BROWSE, 0.0), 8) for n in range(16)] == [None] * 16

    @pytest.mark.parametrize(
        ("length", "likelihood"), [(16, 0.0), (18, 0.25), (20, 0.5), (23, 0.875)]
    )
    def test_then_more_and_more_are_turned_away(self, length, likelihood):
        for chance, refused in ((likelihood + 1e-9, False), (likelihood - 1e-9, True)):
            it = queue(chance=lambda chance=chance: chance)
            waiting(it, *[BROWSE] * length)
            entry = Entry("new", BROWSE, 0.0)

            assert (it.join(entry, 8) is entry) is refused

    def test_nobody_more_may_wait_from_three_times_the_limit_on(self):
        it = queue()
        waiting(it, *[BROWSE] * 24)
        entry = Entry("new", BROWSE, 0.0)

        assert it.join(entry, 8) is entry
        assert not entry.is_waiting
        assert len(it) == 24

    def test_a_higher_tier_takes_the_place_of_the_lowest(self):
        it = queue()
        entries = waiting(it, *[BROWSE] * 22, BULK, OPERATE)
        payment = Entry("pay", PAY, 1.0)

        assert it.join(payment, 8) is entries[22]
        assert it.join(Entry("pay", PAY, 1.0), 8) is entries[23]
        assert not entries[22].is_waiting
        assert payment.is_waiting
        assert len(it) == 24

    def test_of_a_tier_the_lowest_cohort_goes_first_the_oldest_of_it(self):
        it = queue()
        levels = [BROWSE + 5, BROWSE + 9, BROWSE + 9, BROWSE + 1] * 6
        entries = waiting(it, *levels)

        losers = [it.join(Entry("new", BROWSE, 0.0), 8) for _ in range(3)]

        assert losers == [entries[1], entries[2], entries[5]]

    def test_a_lower_one_takes_nobodys_place(self):
        it = queue()
        waiting(it, *[BROWSE] * 24)
        export = Entry("export", BULK, 0.0)

        assert it.join(export, 8) is export

    def test_may_be_nothing_at_all(self):
        it = queue(shed_from=0.0, shed_all=0.001)
        first, second = Entry(1, BROWSE, 0.0), Entry(2, PAY, 0.0)

        assert it.join(first, 1) is None
        assert it.join(second, 1) is first

    def test_an_empty_one_that_may_hold_nobody_refuses(self):
        it = queue(shed_from=0.0, shed_all=1.0, chance=lambda: -1.0)
        entry = Entry(1, PAY, 0.0)

        assert it.join(entry, 4) is entry

    def test_shedding_has_to_begin_before_it_is_complete(self):
        with pytest.raises(ValueError, match="begins before"):
            Queue(shed_from=3.0, shed_all=3.0)

    def test_counts_each_tier(self):
        it = queue()
        waiting(it, PAY, BULK, BULK)

        assert it.tiers == 5
        assert [it.depth(tier) for tier in range(5)] == [1, 0, 0, 0, 2]


class TestLettingGo:
    def test_nobody_is_served_after_their_deadline(self):
        it = queue()
        (fit,) = waiting(it, BROWSE, deadline=1.1)
        (late,) = waiting(it, BROWSE, deadline=1.0)

        assert it.take(1.05) == (fit, [(late, Reason.DEADLINE)])

    def test_nor_when_there_is_no_time_for_a_middling_call(self):
        it = queue()
        it.tune(0.2, 0.3)
        (late,) = waiting(it, BROWSE, deadline=1.0)

        assert it.take(0.81) == (None, [(late, Reason.DEADLINE)])

    def test_nor_when_their_caller_has_left(self):
        it = queue()
        (gone,) = waiting(it, BROWSE, is_gone=lambda: True)
        (there,) = waiting(it, BROWSE)

        assert it.take(0.0) == (there, [(gone, Reason.DISCONNECT)])
        assert len(it) == 0

    def test_a_queue_that_stands_is_let_go_in_front(self):
        it = queue()
        entries = waiting(it, *[BROWSE] * 40)
        taken, let_go = [], []
        for step in range(40):
            entry, dropped = it.take(0.02 + step / 100)
            taken.append(entry)
            let_go += dropped

        assert {reason for _, reason in let_go} == {Reason.CODEL}
        assert let_go[0].entry in entries
        assert len(let_go) + len([n for n in taken if n is not None]) == 40

    def test_another_tier_is_not_blamed(self):
        it = queue()
        waiting(it, *[BULK] * 5)
        for step in range(40):
            payment = Entry("pay", PAY, step / 100)
            it.join(payment, 100)

            assert it.take(0.001 + step / 100) == (payment, [])

    def test_everybody_is_looked_at_when_nobody_is_taken(self):
        it = queue()
        (fit,) = waiting(it, BROWSE, deadline=9.0)
        (late,) = waiting(it, BROWSE, deadline=1.0)
        (gone,) = waiting(it, PAY, is_gone=lambda: True)

        assert it.expire(2.0) == [(gone, Reason.DISCONNECT), (late, Reason.DEADLINE)]
        assert fit.is_waiting
        assert len(it) == 1
