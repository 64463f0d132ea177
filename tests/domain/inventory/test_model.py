"""Stock as values: sums by variant, in the order in which rows are locked."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.inventory import Level, Wanted
from holdfast.domain.inventory.model import summed

TEA, CUP = UUID(int=2), UUID(int=1)
WANTED = st.lists(
    st.builds(
        lambda number, quantity: Wanted(UUID(int=number), f"S-{number}", quantity),
        st.integers(0, 5),
        st.integers(1, 10**6),
    )
)


class TestLevel:
    def test_what_is_promised_is_not_available(self, clock):
        level = Level("TEA-1", TEA, 10, 3, clock())

        assert level.available == 7


class TestSummed:
    def test_two_lines_of_one_variant_are_wanted_as_their_sum(self):
        lines = [Wanted(TEA, "TEA-1", 2), Wanted(CUP, "CUP-1", 1), Wanted(TEA, "T", 3)]

        assert summed(lines) == [Wanted(CUP, "CUP-1", 1), Wanted(TEA, "T", 5)]

    @given(WANTED)
    def test_loses_no_unit_and_names_each_variant_once_in_lock_order(self, wanted):
        lines = summed(wanted)

        ids = [line.variant_id for line in lines]
        assert ids == sorted(set(ids))
        assert sum(n.quantity for n in lines) == sum(n.quantity for n in wanted)
        assert set(ids) == {line.variant_id for line in wanted}
