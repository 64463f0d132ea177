"""An order that somebody gives, moved one by one, is what a list would be."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalog import by_hand

MOVES = st.lists(st.tuples(st.integers(0, 7), st.integers(1, 12)), max_size=60)


def ordered(places):
    return sorted(places.items(), key=lambda one: one[1])


class TestPlaced:
    @given(MOVES)
    def test_is_what_a_list_would_be(self, moves):
        places: dict[UUID, int] = {}
        model: list[UUID] = []
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
            new = by_hand.placed(ordered(places), UUID(int=number % 2 + 4), 2)
            changed.append(len(new))
            places |= new

        assert changed[0] == 1
        assert changed.count(1) >= 25
        assert set(changed) <= {1, 5}
