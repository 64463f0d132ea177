from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.concurrency.series import Average, Middle

values = st.lists(st.floats(1e-6, 1e6), min_size=1)


class TestAverage:
    def test_is_the_mean_of_the_first(self):
        average = Average(3)

        assert [average.add(n) for n in (3.0, 5.0, 10.0)] == [3.0, 4.0, 6.0]

    def test_then_moves_a_part_of_the_way(self):
        average = Average(3)
        for _ in range(3):
            average.add(4.0)

        assert average.add(8.0) == 6.0

    @given(values)
    def test_stays_within_what_it_saw(self, seen):
        average = Average(5)
        for value in seen:
            average.add(value)

        assert min(seen) * 0.999 <= average.value <= max(seen) * 1.001


class TestMiddle:
    def test_one_outlier_leaves_it_where_it_was(self):
        middle = Middle(5)

        assert [middle.add(n) for n in (2.0, 2.0, 90.0, 2.0, 3.0)][2:] == [2.0] * 3

    @given(values)
    def test_is_the_median_of_the_last_five(self, seen):
        middle = Middle(5)
        last = [middle.add(value) for value in seen][-1]
        kept = sorted(seen[-5:])

        assert last == kept[len(kept) // 2]
