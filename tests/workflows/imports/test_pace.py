"""A batch is as large as goes in within a quarter of a second."""

import pytest

from holdfast.domain.catalog import Arrival, Draft, Place, Portion, VariantDraft
from holdfast.kernel.money import Money
from holdfast.workflows.imports import BATCH_SECONDS, _Pace, weight_of

BARGAIN = Money(1, "EUR")


def product(variants):
    draft = Draft(
        handle="tea",
        title="Tea",
        variants=tuple(
            VariantDraft(sku=f"T{n}", price=BARGAIN, options={})
            for n in range(variants)
        ),
    )
    return Portion((), Arrival(draft), "tea", Place(0, 0))


class TestPace:
    @pytest.fixture
    def take(self):
        """Take a batch of so many products in that lasts so long."""
        now = [0.0]
        pace = _Pace(lambda: now[0])

        def go(seconds, products=100):
            with pace.taken([product(3)] * products):
                now[0] += seconds
            return pace.most

        return go

    def test_comes_to_what_goes_in_in_time(self, take):
        for _ in range(20):
            most = take(0.1)

        a_second = 100 * 5 / 0.1
        assert most == pytest.approx(a_second * BATCH_SECONDS, rel=0.01)

    def test_falls_where_it_takes_longer_and_never_to_nothing(self, take):
        before = take(0.05)

        assert take(10.0) < before
        for _ in range(20):
            most = take(60.0)
        assert most == _Pace.LEAST

    def test_learns_nothing_from_next_to_nothing(self, take):
        assert take(3.0, products=1) == _Pace.FIRST

    def test_counts_what_is_refused_for_nothing(self):
        refused = Portion((), None, "tea", Place(0, 0))

        assert (weight_of(refused), weight_of(product(3))) == (0, 5)
