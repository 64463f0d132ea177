"""What an order is worth, and what is owed to its buyer: to the penny."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.ordering import (
    LinesNotOpen,
    Order,
    OrderLine,
    OrderStatus,
    Shipping,
    credit_owed,
    owed,
    price_of,
    refundable,
    value_of,
    worth_of,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money


def eur(cents):
    return Money(cents, "EUR")


def an_order(*lines, shipping=490, credit=0, refunded=0):
    """Lines are quantity, price, and how many of them were canceled."""
    sold = [
        OrderLine(new_id(), "TEA", "Tea", n, eur(price), position, canceled)
        for position, (n, price, canceled) in enumerate(lines, start=1)
    ]
    subtotal = sum(n * price for n, price, _ in lines)
    total = subtotal + shipping - credit
    return Order(
        id=new_id(),
        number=1001,
        cart_id=new_id(),
        token_hash=b"",
        status=OrderStatus.CONFIRMED,
        currency="EUR",
        email=None,
        shipping_address=None,
        shipping=Shipping("standard", eur(shipping), "carrier"),
        lines=sold,
        subtotal=eur(subtotal),
        total=eur(total),
        placed_at=None,
        captured_amount=total,
        refunded_amount=refunded,
        credit_amount=credit,
    )


def canceled(order, *quantities):
    """The order after so many more of each line were canceled."""
    lines = [
        replace(line, canceled=line.canceled + more)
        for line, more in zip(order.lines, quantities, strict=True)
    ]
    return replace(order, lines=lines)


@st.composite
def orders(draw):
    lines = draw(
        st.lists(
            st.tuples(st.integers(1, 5), st.integers(0, 10_000), st.just(0)),
            min_size=1,
            max_size=4,
        )
    )
    return an_order(*lines, shipping=draw(st.integers(0, 2000)))


class TestOwed:
    def test_is_the_price_of_what_was_canceled(self):
        order = an_order((2, 999, 0), (1, 50, 0))

        assert owed(order, canceled(order, 1, 0)) == eur(999)

    def test_takes_the_shipping_with_the_last_line_only(self):
        order = an_order((2, 999, 0), (1, 50, 0))
        most = canceled(order, 2, 0)

        assert owed(order, most) == eur(1998)
        assert owed(most, canceled(most, 0, 1)) == eur(540)

    def test_is_no_more_than_there_is_to_give_back(self):
        order = an_order((2, 1000, 0), shipping=0, refunded=1500)

        assert owed(order, canceled(order, 2)) == eur(500)

    @given(orders(), st.data())
    def test_comes_to_the_total_however_an_order_is_canceled(self, order, data):
        given_back = 0
        for last in (False, False, True):
            left = [line.quantity - line.canceled for line in order.lines]
            more = left if last else [data.draw(st.integers(0, n)) for n in left]
            after = canceled(order, *more)
            amount = owed(order, after).amount
            given_back += amount
            order = replace(after, refunded_amount=order.refunded_amount + amount)
            assert refundable(order) == value_of(order)

        assert given_back == order.total.amount

    @given(orders(), st.integers(0, 20_000), st.data())
    def test_gives_a_credit_back_to_where_it_came_from(self, order, credit, data):
        credit = min(credit, order.total.amount)
        order = replace(
            order,
            credit_amount=credit,
            total=eur(order.total.amount - credit),
            captured_amount=order.total.amount - credit,
        )
        more = [data.draw(st.integers(0, line.quantity)) for line in order.lines]
        after = canceled(order, *more)

        less = worth_of(order).amount - worth_of(after).amount
        back = credit_owed(order, after, earned=credit)
        assert owed(order, after) + back == eur(less)


class TestPriceOf:
    def test_is_of_the_units_named(self):
        order = an_order((2, 999, 0), (1, 50, 0))

        assert price_of(order, {1: 2, 2: 1}) == eur(2048)

    @pytest.mark.parametrize("units", [{1: 2}, {1: 0}, {2: 1}, {}, {1: -1}])
    def test_does_not_count_what_was_canceled_or_never_was(self, units):
        with pytest.raises(LinesNotOpen):
            price_of(an_order((2, 999, 1)), units)
