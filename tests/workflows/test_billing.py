"""The sums of an invoice add up, whatever became of the order."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain import ordering
from holdfast.domain.ordering import (
    Order,
    OrderEvent,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    Shipping,
)
from holdfast.domain.payments import Progress, Refund
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows.billing import bill, charged

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def euros(amount):
    return Money(amount, "EUR")


def a_line(price=1000, quantity=2, **changes):
    line = OrderLine(new_id(), "TEA", "Assam", quantity, euros(price))
    return replace(line, **changes)


def an_order(*lines, **changes):
    """Two units at 10.00 and 5.00 for the shipping, captured, unless said otherwise."""
    lines = lines or (a_line(),)
    subtotal = sum((line.total for line in lines), euros(0))
    order = Order(
        id=new_id(),
        number=1001,
        cart_id=new_id(),
        token_hash=b"",
        status=OrderStatus.CONFIRMED,
        currency="EUR",
        email=None,
        shipping_address=None,
        shipping=Shipping("standard", euros(500), "carrier"),
        lines=lines,
        subtotal=subtotal,
        total=subtotal + euros(500),
        placed_at=NOON,
        payment_status=PaymentStatus.CAPTURED,
        captured_amount=subtotal.amount + 500,
    )
    return replace(order, **changes)


ASIDE = {"payment_status": PaymentStatus.AUTHORIZED, "captured_amount": 0}


def a_refund(amount, status=Progress.SUCCEEDED, **changes):
    refund = Refund(
        id=new_id(),
        order_id=new_id(),
        amount=euros(amount),
        status=status,
        reason="damaged",
        requested_by="key:1",
        requested_at=NOON,
    )
    return replace(refund, **changes)


def happened(kind, amount):
    return OrderEvent(new_id(), kind, None, None, "key:1", {"amount": amount}, NOON)


def sums(order, refunds=(), events=()):
    """Total, paid, to be paid, given back, on its way back, to be given back."""
    found = bill(order, refunds, events)
    return tuple(
        money.amount
        for money in (
            *(found.total, found.paid, found.to_pay),
            *(found.given_back, found.promised, found.owed),
        )
    )


class TestBill:
    def test_of_an_order_as_it_was_placed_is_what_was_paid(self):
        assert sums(an_order()) == (2500, 2500, 0, 0, 0, 0)

    def test_of_money_that_is_set_aside_nothing_is_paid(self):
        assert sums(an_order(**ASIDE)) == (2500, 0, 2500, 0, 0, 0)

    def test_charges_for_what_is_left_of_a_partly_canceled_order(self):
        part = a_line(canceled=1)

        assert sums(an_order(part, **ASIDE)) == (1500, 0, 1500, 0, 0, 0)
        assert sums(an_order(part, captured_amount=1500)) == (1500, 1500, 0, 0, 0, 0)
        assert sums(an_order(part), [a_refund(1000)]) == (1500, 2500, 0, 1000, 0, 0)

    def test_of_a_canceled_order_is_nothing_and_not_even_its_shipping(self):
        gone = a_line(canceled=2)
        voided = {**ASIDE, "payment_status": PaymentStatus.VOIDED}

        assert sums(an_order(gone, **voided)) == (0, 0, 0, 0, 0, 0)
        assert sums(an_order(gone), [a_refund(2500)]) == (0, 2500, 0, 2500, 0, 0)
        assert bill(an_order(gone), [], []).shipping == euros(0)

    def test_counts_the_lines_that_an_edit_added(self):
        order = an_order(a_line(canceled=1), a_line(600, 1), total=euros(2500))
        paid = replace(order, captured_amount=2500)

        assert sums(paid, [a_refund(400)]) == (2100, 2500, 0, 400, 0, 0)
        assert bill(paid, [], []).goods == euros(1600)

    def test_says_what_is_on_its_way_and_what_failed(self):
        part = an_order(a_line(canceled=1))
        failed = a_refund(1000, Progress.FAILED)
        lost = happened("refund_failed", 1000)

        pending = a_refund(1000, Progress.PENDING)
        assert sums(part, [pending]) == (1500, 2500, 0, 0, 1000, 0)
        assert sums(part, [failed], [lost]) == (1500, 2500, 0, 0, 0, 1000)
        again = replace(pending, retry_of=failed.id)
        assert sums(part, [failed, again], [lost]) == (1500, 2500, 0, 0, 1000, 0)
        done = [lost, happened("refund", 1000)]
        ended = replace(again, status=Progress.SUCCEEDED)
        assert sums(part, [failed, ended], done) == (1500, 2500, 0, 1000, 0, 0)

    def test_owes_a_refund_that_failed_though_the_goods_are_charged_for(self):
        order, failed = an_order(), a_refund(700, Progress.FAILED)

        owed = sums(order, [failed], [happened("refund_failed", 700)])

        assert owed == (2500, 2500, 0, 0, 0, 700)

    def test_owes_what_the_shop_gives_back_by_hand(self):
        part = an_order(a_line(canceled=1), paid_outside=True)
        owed = happened("refund_owed", 1000)
        given = [owed, happened("refund", 1000)]

        assert sums(part, [], [owed]) == (1500, 2500, 0, 0, 0, 1000)
        assert sums(part, [a_refund(1000)], given) == (1500, 2500, 0, 1000, 0, 0)

    def test_a_kindness_before_pays_nothing_that_is_owed_after(self):
        part = an_order(a_line(canceled=1), paid_outside=True)
        events = [happened("refund", 300), happened("refund_owed", 1000)]

        assert sums(part, [a_refund(300)], events) == (1500, 2500, 0, 300, 0, 1000)

    def test_leaves_out_what_was_charged_for_nothing(self):
        stray = a_refund(2500, stray=True)

        assert sums(an_order(), [stray]) == (2500, 2500, 0, 0, 0, 0)

    def test_what_came_back_is_charged_for_and_given_back(self):
        order = an_order(a_line(fulfilled=2, returned=1))

        assert sums(order, [a_refund(1000)]) == (2500, 2500, 0, 1000, 0, 0)
        assert bill(order, [a_refund(1000)], []).remaining == euros(1500)

    @pytest.mark.parametrize(
        ("canceled", "used", "total"), [(0, 1200, 1300), (2, 0, 0)]
    )
    def test_goods_that_came_back_pay_no_more_than_there_is(
        self, canceled, used, total
    ):
        order = an_order(
            a_line(canceled=canceled), credit_amount=1200, captured_amount=1300
        )

        found = bill(order, [], [])

        assert (found.credit, found.total) == (euros(used), euros(total))

    @given(
        lines=st.lists(
            st.integers(1, 5).flatmap(
                lambda n: st.builds(
                    a_line,
                    st.integers(0, 5000),
                    st.just(n),
                    canceled=st.integers(0, n),
                )
            ),
            min_size=1,
            max_size=4,
        ),
        credit=st.integers(0, 3000),
        captured=st.integers(0, 30_000),
        given=st.lists(st.integers(1, 500), max_size=3),
        promised=st.lists(st.integers(1, 500), max_size=3),
        owed=st.lists(st.integers(1, 9000), max_size=3),
    )
    def test_adds_up(self, lines, credit, captured, given, promised, owed):
        captured += sum(given) + sum(promised)
        order = an_order(*lines, credit_amount=credit, captured_amount=captured)

        found = bill(
            order,
            [a_refund(n) for n in given]
            + [a_refund(n, Progress.PENDING) for n in promised],
            [happened("refund_owed", n) for n in owed],
        )

        assert found.goods == sum((charged(line) for line in lines), euros(0))
        assert found.total == ordering.value_of(order)
        assert found.total.amount >= 0
        assert found.to_pay.amount == max(0, found.total.amount - captured)
        back = found.given_back + found.promised + found.owed
        assert found.remaining + back == found.paid
        assert min(found.owed.amount, found.remaining.amount) >= 0
        # Nothing is kept beyond the total.
        assert found.remaining.amount <= max(found.total.amount, 0)
