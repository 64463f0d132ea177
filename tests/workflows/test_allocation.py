"""Every unit leaves once, from where it is, in as few parcels as can be."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from holdfast.workflows.allocation import Shelf, Want, allocate, missing

TEA, CUP, POT = (UUID(int=n) for n in (1, 2, 3))
NORTH, SOUTH, EAST = (UUID(int=n) for n in (11, 12, 13))


class TestAllocate:
    def test_one_location_that_has_it_all_sends_one_parcel(self):
        wanted = [Want(1, TEA, 2), Want(2, CUP, 1)]
        shelves = [Shelf(NORTH, TEA, 2), Shelf(SOUTH, TEA, 2), Shelf(SOUTH, CUP, 1)]

        assert allocate(wanted, shelves) == {SOUTH: {1: 2, 2: 1}}

    def test_what_is_in_two_places_is_two_parcels(self):
        wanted = [Want(1, TEA, 5), Want(2, CUP, 1)]
        shelves = [Shelf(NORTH, TEA, 3), Shelf(SOUTH, TEA, 2), Shelf(SOUTH, CUP, 1)]

        assert allocate(wanted, shelves) == {NORTH: {1: 3}, SOUTH: {1: 2, 2: 1}}

    def test_two_lines_of_a_variant_share_its_shelf(self):
        wanted = [Want(1, TEA, 2), Want(2, TEA, 2)]

        assert allocate(wanted, [Shelf(NORTH, TEA, 3)]) == {NORTH: {1: 2, 2: 1}}

    def test_of_equal_locations_the_first_sends(self):
        shelves = [Shelf(EAST, TEA, 1), Shelf(NORTH, TEA, 1)]

        assert allocate([Want(1, TEA, 1)], shelves) == {EAST: {1: 1}}

    def test_nothing_anywhere_is_no_parcel(self):
        assert allocate([Want(1, TEA, 1)], [Shelf(NORTH, TEA, 0)]) == {}


class TestMissing:
    def test_is_what_no_parcel_holds(self):
        wanted = [Want(1, TEA, 5), Want(2, CUP, 1)]

        assert missing(wanted, {NORTH: {1: 3}, SOUTH: {1: 1, 2: 1}}) == [
            Want(1, TEA, 1)
        ]


VARIANTS = st.sampled_from([TEA, CUP, POT])
WANTED = st.lists(st.tuples(VARIANTS, st.integers(1, 9)), max_size=5).map(
    lambda lines: [Want(n, *line) for n, line in enumerate(lines, start=1)]
)
SHELVES = st.dictionaries(
    st.tuples(st.sampled_from([NORTH, SOUTH, EAST]), VARIANTS), st.integers(0, 9)
).map(lambda units: [Shelf(*place, n) for place, n in units.items()])


@given(WANTED, SHELVES)
def test_no_unit_is_sent_twice_and_none_is_forgotten(wanted, shelves):
    parcels = allocate(wanted, shelves)

    there = {(s.location_id, s.variant_id): s.units for s in shelves}
    variant_of = {want.position: want.variant_id for want in wanted}
    for at, parcel in parcels.items():
        assert parcel
        assert all(units > 0 for units in parcel.values())
        for variant in variant_of.values():
            taken = sum(n for p, n in parcel.items() if variant_of[p] == variant)
            assert taken <= there.get((at, variant), 0)
    left = missing(wanted, parcels)
    for variant in variant_of.values():
        asked = sum(w.quantity for w in wanted if w.variant_id == variant)
        stock = sum(s.units for s in shelves if s.variant_id == variant)
        short = sum(w.quantity for w in left if w.variant_id == variant)
        assert short == max(0, asked - stock)
