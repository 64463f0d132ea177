import pytest

from holdfast.resilience import TimedOut
from holdfast.resilience.concurrency import (
    COHORTS,
    Aimd,
    Collector,
    Entry,
    Fixed,
    Gate,
    Outcome,
    Queue,
    Reason,
)
from holdfast.resilience.events import (
    LimiterCall,
    LimitStep,
    QueueModeChanged,
    QueueWait,
)

PAY, BUY, BROWSE, BULK = 0, 1 * COHORTS, 2 * COHORTS, 4 * COHORTS


class TestPermits:
    def test_there_are_as_many_as_the_limit_says(self, play):
        gate = play(3).gate
        permits = [gate.try_acquire() for _ in range(3)]

        assert all(permits)
        assert gate.try_acquire() is None
        assert (gate.inflight, gate.limit, gate.waiting) == (3, 3, 0)

    def test_one_given_back_goes_to_who_waits(self, play):
        played = play(1)
        permit = played.gate.try_acquire()
        entry = played.wait()

        permit.release()

        assert played.granted[entry].tier == 2
        assert played.gate.inflight == 1
        assert played.gate.waiting == 0

    def test_one_is_given_back_once(self, play):
        gate = play(2).gate
        permit = gate.try_acquire()
        gate.try_acquire()

        permit.release()
        permit.release()

        assert gate.inflight == 1

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [
            (TimedOut, "dropped"),
            (ValueError, "ignored"),
            (KeyboardInterrupt, "ignored"),
        ],
    )
    def test_as_a_context_it_ends_as_the_exception_says(self, play, error, outcome):
        played = play(1)

        with pytest.raises(error), played.gate.try_acquire():
            raise error

        assert played.of(LimiterCall)[-1].outcome == outcome
        assert played.gate.inflight == 0

    def test_as_a_context_that_ends_well_it_is_a_success(self, play):
        played = play(1)

        with played.gate.try_acquire():
            assert played.gate.inflight == 1

        assert played.of(LimiterCall)[-1].outcome == "success"

    def test_a_higher_limit_lets_go_on_who_waits(self, play):
        played = play(1)
        played.gate.try_acquire()
        entries = [played.wait() for _ in range(3)]

        played.gate.use(Fixed(3))

        assert list(played.granted) == entries[:2]
        assert played.gate.inflight == 3

    def test_a_lower_limit_waits_until_enough_have_ended(self, play):
        played = play(3)
        permits = [played.gate.try_acquire() for _ in range(3)]
        played.gate.use(Fixed(1))
        entry = played.wait()

        permits[0].release()
        permits[1].release()
        assert entry.is_waiting
        permits[2].release()

        assert entry in played.granted

    def test_who_waits_may_leave(self, play):
        played = play(1)
        permit = played.gate.try_acquire()
        entry = played.wait()

        played.gate.leave(entry)
        permit.release()

        assert played.granted == {}
        assert played.of(QueueWait)[-1].outcome == "cancelled"

    def test_whoever_derives_from_it_says_what_becomes_of_them(self):
        gate, entry = Gate("shop", Fixed(1)), Entry(None, 0, 0.0)
        permit = gate.try_acquire()
        gate.join(entry)

        with pytest.raises(NotImplementedError):
            permit.release()
        with pytest.raises(NotImplementedError):
            gate._refused(entry, Reason.FULL)


class TestQueueOfOnesOwn:
    def test_is_as_long_as_it_was_made(self, play):
        played = play(1, queue=Queue(shed_from=5.0, shed_all=5.5))
        played.gate.try_acquire()

        entries = [played.wait() for _ in range(7)]

        assert played.gate.waiting == 6
        assert list(played.refused) == [entries[6]]


class TestShares:
    def test_are_not_held_back_while_there_is_room(self, play):
        gate = play(4, shares={0: 0.5}).gate

        assert all(gate.try_acquire(BROWSE) for _ in range(4))

    def test_let_in_over_the_limit_once_it_is_full(self, play):
        gate = play(4, shares={0: 0.5}).gate
        for _ in range(4):
            gate.try_acquire(BULK)

        assert gate.try_acquire(BROWSE) is None
        assert gate.try_acquire(PAY)
        assert gate.try_acquire(PAY)
        assert gate.try_acquire(PAY) is None
        assert gate.inflight == 6

    def test_count_what_is_under_way_already(self, play):
        gate = play(4, shares={0: 0.5}).gate
        for level in (PAY, PAY, BULK, BULK):
            gate.try_acquire(level)

        assert gate.try_acquire(PAY) is None

    def test_are_one_call_at_least(self, play):
        gate = play(4, shares={0: 0.0}).gate
        for _ in range(4):
            gate.try_acquire(BULK)

        assert gate.try_acquire(PAY)
        assert gate.try_acquire(PAY) is None

    def test_go_to_who_waits_when_one_of_theirs_ends(self, play):
        played = play(1, shares={0: 1.0})
        played.gate.try_acquire(BULK)
        permit = played.gate.try_acquire(PAY)
        browsing, paying = played.wait(BROWSE), played.wait(PAY)

        permit.release()

        assert paying in played.granted
        assert browsing.is_waiting
        assert played.gate.inflight == 2

    def test_of_a_tier_nobody_waits_in_grant_nothing(self, play):
        played = play(1, shares={0: 1.0, 1: 1.0})
        played.gate.try_acquire(BULK)
        permit = played.gate.try_acquire(PAY)
        played.wait(BROWSE)

        permit.release()

        assert played.granted == {}


class TestLearning:
    def test_the_limit_follows_a_window_of_successes(self, play, timer):
        played = play(Aimd(initial=8), min_samples=4)
        permits = [played.gate.try_acquire() for _ in range(4)]
        timer.now = 0.6
        for permit in permits:
            permit.release()

        assert played.gate.limit == 9
        (step,) = played.of(LimitStep)
        assert (step.previous, step.limit, step.reason) == (8, 9, "room")
        assert step.limiter == "shop"

    def test_nothing_is_learned_of_what_says_nothing(self, play, timer):
        played = play(Aimd(initial=8))
        permits = [played.gate.try_acquire() for _ in range(8)]
        timer.now = 0.6
        for permit in permits:
            permit.release(Outcome.IGNORED)

        assert played.of(LimitStep) == []

    def test_nor_of_who_was_turned_away(self, play, timer):
        played = play(Fixed(1))
        played.gate.try_acquire()
        for _ in range(9):
            played.wait()
        timer.now = 0.6

        assert len(played.refused) == 6
        assert played.of(LimitStep) == []

    def test_a_missed_deadline_cuts_at_once(self, play, timer):
        played = play(Aimd(initial=20), min_samples=99)
        permit = played.gate.try_acquire()
        timer.now = 0.1

        permit.release(Outcome.DROPPED)

        assert played.gate.limit == 18
        assert played.of(LimitStep)[0].reason == "drop"

    def test_calls_from_before_the_cut_do_not_cut_again(self, play, timer):
        played = play(Aimd(initial=20), min_samples=99)
        before = [played.gate.try_acquire() for _ in range(10)]
        timer.now = 0.1
        before[0].release(Outcome.DROPPED)
        after = played.gate.try_acquire()
        timer.now = 0.2

        for permit in before:
            permit.release(Outcome.DROPPED)
        assert played.gate.limit == 18
        after.release(Outcome.DROPPED)

        assert played.gate.limit == 16

    def test_missed_deadlines_close_a_window_too(self, play, timer):
        played = play(Fixed(8), min_samples=2)
        permits = [played.gate.try_acquire() for _ in range(2)]
        timer.now = 0.6

        for permit in permits:
            permit.release(Outcome.DROPPED)

        assert len(played.of(LimitStep)) == 2

    def test_a_stall_of_the_loop_spoils_the_window(self, play, timer):
        played = play(Fixed(8))
        played.gate.note_lag(0.21)
        timer.now = 0.6
        played.gate.try_acquire().release()
        assert played.of(LimitStep) == []

        played.gate.note_lag(0.2)
        permit = played.gate.try_acquire()
        timer.now = 1.2
        permit.release()

        assert len(played.of(LimitStep)) == 1

    def test_a_window_tells_the_queue_how_long_calls_take(self, play, timer):
        played = play(Fixed(1))
        permit = played.gate.try_acquire()
        timer.now = 1.0
        permit.release()
        played.gate.try_acquire()
        late = played.wait(deadline=1.9)

        played.gate.sweep()

        assert played.refused == {late: Reason.DEADLINE}


class TestEvents:
    def test_each_call_ends_as_one(self, play, timer):
        played = play(1)
        first = played.gate.try_acquire(PAY)
        entries = [played.wait(BROWSE) for _ in range(4)]
        timer.now = 0.004
        first.release()
        played.granted[entries[0]].release(Outcome.IGNORED)
        played.gate.leave(entries[2])
        played.gate.bypass()

        ended = [(n.tier, n.outcome, n.seconds) for n in played.of(LimiterCall)]
        assert ended == [
            (2, "rejected", 0.0),
            (0, "success", 0.004),
            (2, "ignored", 0.0),
            (2, "ignored", 0.0),
            (-1, "bypassed", 0.0),
        ]
        waited = [(n.outcome, n.seconds) for n in played.of(QueueWait)]
        assert waited == [
            ("full", 0.0),
            ("served", 0.004),
            ("served", 0.004),
            ("cancelled", 0.004),
        ]
        assert played.gate.depth(2) == 0

    def test_say_when_a_tier_turns_around_and_back(self, play, timer):
        played = play(1)
        permit = played.gate.try_acquire()
        played.wait(BROWSE)
        played.gate.sweep()
        timer.now = 0.15
        played.gate.sweep()
        permit.release()
        played.gate.sweep()

        assert played.of(QueueModeChanged) == [
            QueueModeChanged("shop", 2, is_standing=True),
            QueueModeChanged("shop", 2, is_standing=False),
        ]

    def test_need_no_listener(self, play, timer):
        played = play(Aimd(initial=4), listen=None)
        permits = [played.gate.try_acquire() for _ in range(4)]
        entry = played.wait()
        timer.now = 0.15
        played.gate.sweep()
        timer.now = 0.6
        for permit in permits:
            permit.release(Outcome.DROPPED)

        assert played.granted
        assert entry in played.granted

    def test_a_gate_of_its_own_makes_what_it_is_not_given(self):
        gate = Gate("shop", Fixed(1))

        assert isinstance(gate._collector, Collector)
        assert gate.try_acquire()


class TestTotals:
    def test_count_each_call_though_nobody_is_told_of_any(self, play):
        played = play(1, each_call=False)
        played.gate.try_acquire().release()
        played.gate.try_acquire().release(Outcome.DROPPED)
        played.gate.bypass()

        counted = {name: n for name, n in played.gate.totals.items() if n}
        assert counted == {"success": 1, "dropped": 1, "bypassed": 1}
        assert played.of(LimiterCall) == []
        assert played.of(LimitStep)
