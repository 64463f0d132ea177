"""Whatever is done to an order, in whatever order: its states and lines stay true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.ordering import (
    FULFILMENT,
    ORDER,
    PAYMENT,
    FulfilmentStatus,
    LinesNotOpen,
    OrderNotOpen,
    OrderStatus,
    PaymentStatus,
    Standing,
    Units,
    standing,
)
from holdfast.domain.ordering.states import fulfilment_of

CHANGES = {
    "canceled": standing.canceled,
    "fulfilled": standing.fulfilled,
    "unfulfilled": standing.unfulfilled,
    "returned": standing.returned,
}
done = st.tuples(
    st.sampled_from(sorted(CHANGES)),
    st.dictionaries(st.integers(1, 3), st.integers(0, 4), max_size=3),
)


def fresh(*quantities, payment=PaymentStatus.CAPTURED):
    lines = tuple(Units(n, quantity) for n, quantity in enumerate(quantities, start=1))
    return Standing(OrderStatus.CONFIRMED, payment, FulfilmentStatus.UNFULFILLED, lines)


class TestAnyChanges:
    @given(
        st.lists(st.integers(1, 4), min_size=1, max_size=3),
        st.sampled_from([PaymentStatus.CAPTURED, PaymentStatus.AUTHORIZED]),
        st.lists(done, max_size=12),
    )
    def test_keep_to_the_tables_and_lose_no_unit(self, quantities, payment, changes):
        now = fresh(*quantities, payment=payment)
        for name, wanted in changes:
            before = now
            try:
                now = CHANGES[name](before, wanted)
            except (LinesNotOpen, OrderNotOpen):
                continue

            for kind, start, end in standing.steps(before, now):
                machine = {m.kind: m for m in (ORDER, PAYMENT, FULFILMENT)}[kind]
                assert machine.allows(start, end)
            assert [line.quantity for line in now.lines] == quantities
            for line in now.lines:
                assert line.open >= 0
                assert 0 <= line.returned <= line.fulfilled
                assert line.canceled >= 0
            assert (now.status is OrderStatus.CANCELED) is now.canceled
            assert now.fulfilment is fulfilment_of(
                (n.quantity, n.canceled, n.fulfilled) for n in now.lines
            )
            shipped = now.fulfilment is FulfilmentStatus.FULFILLED
            paid = payment is PaymentStatus.CAPTURED
            assert (now.status is OrderStatus.COMPLETED) is (shipped and paid)


class TestRecounted:
    @given(
        st.lists(st.integers(1, 4), min_size=1, max_size=3),
        st.dictionaries(
            st.integers(1, 3), st.tuples(st.integers(0, 4), st.integers(0, 4))
        ),
    )
    def test_says_what_was_counted_or_is_refused(self, quantities, counted):
        before = fresh(*quantities)
        wanted = [counted.get(n.position, (0, 0)) for n in before.lines]
        possible = all(
            back <= shipped <= line.quantity
            for line, (shipped, back) in zip(before.lines, wanted, strict=True)
        )

        if not possible:
            with pytest.raises(LinesNotOpen):
                standing.recounted(before, counted)
            return

        after = standing.recounted(before, counted)
        assert [(n.fulfilled, n.returned) for n in after.lines] == wanted
        whole = all(
            shipped == line.quantity
            for line, (shipped, _) in zip(before.lines, wanted, strict=True)
        )
        assert (after.status is OrderStatus.COMPLETED) is whole

    def test_is_not_for_orders_that_ended(self):
        ended = standing.canceled(fresh(1), {1: 1})

        with pytest.raises(OrderNotOpen):
            standing.recounted(ended, {1: (0, 0)})


class TestSteps:
    def test_that_no_table_has_are_a_fault_of_ours(self):
        before = fresh(1)
        after = Standing(
            OrderStatus.FAILED, before.payment, before.fulfilment, before.lines
        )

        with pytest.raises(ValueError, match="order: confirmed does not become failed"):
            list(standing.steps(before, after))

    def test_are_none_where_nothing_changes(self):
        assert list(standing.steps(fresh(1), fresh(1))) == []
