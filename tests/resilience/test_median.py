import random

import pytest

from holdfast.resilience.median import Median


class TestMedian:
    def test_is_nothing_before_the_first(self):
        assert Median().seconds == 0

    def test_begins_with_the_first(self):
        median = Median()
        median.note(0.2)

        assert median.seconds == 0.2

    @pytest.mark.parametrize("typical", [0.0005, 0.02, 3.0])
    def test_comes_to_where_half_are_below(self, typical):
        chance = random.Random(7)  # noqa: S311 - the same each time
        median = Median()

        for _ in range(2_000):
            median.note(typical * chance.lognormvariate(0, 0.5))

        assert typical * 0.7 < median.seconds < typical * 1.4

    def test_is_not_moved_by_the_few_that_hang(self):
        median = Median()

        for n in range(2_000):
            median.note(10 if n % 20 == 0 else 0.01)

        assert median.seconds < 0.02

    def test_knows_that_what_was_given_up_takes_longer(self):
        median = Median()
        median.note(0.010)
        median.note_unfinished(0.1)

        assert median.seconds == pytest.approx(0.15)

    def test_does_not_forget_how_long_for_a_short_one_given_up(self):
        median = Median()
        median.note(3.0)
        median.note_unfinished(0.1)

        assert median.seconds == 3

    def test_lets_one_in_twenty_try_what_it_doubts(self):
        """All ask for a tenth of a second, which is never enough."""
        median, tried = Median(), 0
        median.note(5.0)

        for _ in range(2_000):
            if median.seconds > 0.1:
                median.doubt()
            else:
                tried += 1
                median.note_unfinished(0.1)

        assert 60 <= tried <= 110
