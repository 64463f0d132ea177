"""An order that somebody gives, moved one by one, is what a list would be."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalog import by_hand

MOVES = st.lists(st.tuples(st.integers(0, 7), st.integers(1, 12)), max_size=60)


def ordered(places):
    return sorted(places.items(), key=lambda one: one[1])


class TestPlaced:
    @given(MOVES, st.sampled_from([1, 2, 8, by_hand.ROOM]))
    def test_is_what_a_list_would_be(self, moves, room):
        places: dict[UUID, int] = {}
        model: list[UUID] = []
        with pytest.MonkeyPatch.context() as patch:
            # With little room it runs out within a few moves.
            patch.setattr(by_hand, "ROOM", room)
            for number, position in moves:
                product = UUID(int=number + 1)
                if product in model:
                    model.remove(product)
                model.insert(position - 1, product)

                places |= by_hand.placed(ordered(places), product, position)

                assert [id_ for id_, _ in ordered(places)] == model
                assert len(set(places.values())) == len(places)

    def test_moves_one_row_while_there_is_room(self):
        places = by_hand.spread([UUID(int=n) for n in range(1, 6)])
        changed = []
        for number in range(30):
            product = UUID(int=number % 2 + 4)
            new = by_hand.placed(ordered(places), product, 2)
            changed.append(len(new))
            places |= new
            assert ordered(places)[1][0] == product

        assert changed.count(5) == 1
        assert changed.count(1) == 29
