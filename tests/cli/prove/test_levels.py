"""Commits made up, with each way in which a level can be wrong after one of them."""

import pytest

from holdfast.cli.prove.levels import Change, replay


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
