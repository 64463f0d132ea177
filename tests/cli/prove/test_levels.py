"""Commits made up, with each way in which a level can be wrong after one of them."""

import pytest

from holdfast.cli.prove.levels import Change, never_falsely_sold_out, replay


@pytest.fixture
def level():
    def make(tx, before, reserved, on_hand=3):
        return Change(tx, "TEA", "main", None, before, reserved, on_hand)

    return make


@pytest.fixture
def promise():
    def make(tx, units):
        return Change(tx, "TEA", "main", units, 0, 0, 0)

    return make


class TestReplay:
    def test_every_promise_is_counted(self, level, promise):
        changes = [
            level(1, 0, 0),
            promise(2, 1),
            level(2, 0, 1),
            promise(3, 2),
            level(3, 1, 3),
            promise(4, -2),
            level(4, 3, 1),
        ]

        verdict = replay(changes)

        assert verdict.kept
        assert verdict.checked == 4

    def test_what_a_hold_had_may_pass_to_its_order(self, level, promise):
        changes = [promise(1, 1), level(1, 0, 1), promise(2, -1), promise(2, 1)]

        assert replay(changes).kept

    def test_commits_are_in_the_order_of_their_locks(self, level, promise):
        # The second began first, and waited for the row.
        changes = [promise(2, 1), promise(1, 1), level(1, 0, 1), level(2, 1, 2)]

        assert replay(changes).kept

    def test_notices_more_promised_than_there_is(self, level, promise):
        changes = [promise(1, 4), level(1, 0, 4)]

        assert replay(changes).broken == ["transaction 1 left 4 of TEA promised, of 3"]

    def test_notices_a_promise_that_was_not_counted(self, level, promise):
        assert not replay([level(1, 0, 0), promise(2, 1)]).kept
        assert not replay([promise(1, 2), level(1, 0, 1)]).kept

    def test_notices_an_update_that_was_overwritten(self, level, promise):
        changes = [promise(1, 1), level(1, 0, 1), promise(2, 1), level(2, 0, 1)]

        found = replay(changes).broken

        assert found == ["transaction 2 found 0 of TEA promised where 1 were"]

    def test_notices_units_freed_twice(self, level, promise):
        changes = [promise(1, -1), level(1, 0, -1)]

        assert not replay(changes).kept


class TestNeverFalselySoldOut:
    @pytest.fixture
    def levels(self):
        """Reserved, of three units, at the seconds of its commits."""

        def make(**reserved):
            return [
                Change(n, "TEA", "main", None, 0, units, 3, at=float(second[1:]))
                for n, (second, units) in enumerate(reserved.items())
            ]

        return make

    @pytest.fixture
    def denied(self, said):
        def make(at):
            return [said("hold", 409, problem="out-of-stock", at=at)]

        return make

    def test_notices_who_is_sent_away_from_what_is_there(self, levels, denied):
        changes = levels(s0=3, s1=2, s2=1, s9=3)

        verdict = never_falsely_sold_out(denied(5.0), changes)

        assert len(verdict.broken) == 1

    @pytest.mark.parametrize("at", [2.3, 8.95, 9.5])
    def test_it_may_have_been_gone_a_moment_before_or_after(self, levels, denied, at):
        changes = levels(s0=3, s1=2, s2=1, s9=3)

        verdict = never_falsely_sold_out(denied(at), changes)

        assert verdict.kept
        assert verdict.checked == 1

    def test_one_change_says_not_when_it_was_committed(self, levels, denied):
        assert never_falsely_sold_out(denied(5.0), levels(s0=3, s1=2, s9=3)).kept

    def test_a_cart_is_denied_for_whichever_of_its_lines_is_gone(self, levels, said):
        both = (("TEA", 1), ("GONE", 1))
        history = [said("hold", 409, problem="out-of-stock", at=5.0, lines=both)]

        assert never_falsely_sold_out(history, levels(s0=3, s1=2, s2=1)).kept
