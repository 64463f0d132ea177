"""Stock as values: sums by variant, in the order in which rows are locked."""

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.inventory import Wanted, hold_id
from holdfast.domain.inventory.model import summed

TEA, CUP = UUID(int=2), UUID(int=1)
WANTED = st.lists(
    st.builds(
        lambda number, quantity: Wanted(UUID(int=number), f"S-{number}", quantity),
        st.integers(0, 5),
        st.integers(1, 10**6),
    )
)


class TestHoldId:
    def test_is_the_same_for_the_same_cart_and_owner(self):
        assert hold_id(TEA, b"hash") == hold_id(TEA, b"hash")

    def test_is_of_one_cart_and_one_owner(self):
        owners = [b"shop", "shop", UUID(int=1), UUID(int=2), b"", ""]

        ids = {hold_id(cart, owner) for cart in (TEA, CUP) for owner in owners}

        assert len(ids) == 2 * len(owners)

    def test_is_a_uuid_that_nobody_else_makes(self):
        assert hold_id(TEA, "shop").version == 8
        assert hold_id(TEA, "shop").variant == RFC_4122


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
