"""The conditions in the statements are the tables of the three machines."""

import pytest
from cases import cases

from holdfast.domain import ordering
from holdfast.domain.ordering import (
    FULFILMENT,
    ORDER,
    PAYMENT,
    FulfilmentStatus,
    OrderNotOpen,
    OrderStatus,
    PaymentStatus,
)
from holdfast.kernel.money import Money

S, P, F = OrderStatus, PaymentStatus, FulfilmentStatus


async def _force(database, order, machine, state):
    """Put an order into a state by hand, and whatever goes with it."""
    status, payment = {
        "order": (state, {"pending": "pending", "failed": "failed"}.get(state)),
        "payment": ({"pending": "pending", "failed": "failed"}.get(state), state),
        "fulfilment": (None, None),
    }[machine.kind]
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE orders SET status = coalesce($2, 'confirmed'),"
            " payment_status = coalesce($3, 'captured'),"
            " fulfilment_status = coalesce($4, 'unfulfilled'),"
            " settled_at = CASE WHEN $2 = 'pending' THEN NULL ELSE placed_at END,"
            " completed_at = CASE WHEN $2 = 'completed' THEN placed_at END,"
            " canceled_at = CASE WHEN $2 = 'canceled' THEN placed_at END,"
            " payment_reference = 'ch', captured_amount = total_amount,"
            " refunding_amount = total_amount, refunded_amount = 0"
            " WHERE id = $1",
            *(order.id, status, payment),
            state if machine is FULFILMENT else None,
        )


# The machine, where a function leads, the function, and from where the table leads
# there too but by another function.
MARKS = [
    (
        ORDER,
        S.CONFIRMED,
        lambda do, order: do(ordering.mark_confirmed, order, "ch_1", captured=True),
        S.COMPLETED,
    ),
    (
        ORDER,
        S.FAILED,
        lambda do, order: do(ordering.mark_failed, order, "declined"),
        None,
    ),
    (
        PAYMENT,
        P.CAPTURED,
        lambda do, order: do(ordering.mark_captured, order),
        P.PENDING,
    ),
    (
        PAYMENT,
        P.REFUNDED,
        lambda do, order: do(ordering.mark_refunded, order, order.total),
        None,
    ),
    (
        PAYMENT,
        P.PARTIALLY_REFUNDED,
        lambda do, order: do(ordering.mark_refunded, order, Money(1, "EUR")),
        None,
    ),
]


class TestStatements:
    """The conditions in the statements are the tables of the three machines."""

    @cases(
        ("machine", "start", "end", "mark", "elsewhere"),
        [
            pytest.param(machine, start, end, *how, id=f"{machine.kind}-{start}-{end}")
            for machine, end, *how in MARKS
            for start in machine.transitions
        ],
    )
    async def test_change_a_state_from_where_the_table_says(
        self, database, placed, do, machine, start, end, mark, elsewhere
    ):
        order = await placed()
        await _force(database, order, machine, start)

        done = await mark(do, order)

        allowed = machine.allows(start, end) and start is not elsewhere
        again = start is end is P.PARTIALLY_REFUNDED
        assert bool(done) is (allowed or again)

    @pytest.mark.parametrize("start", list(S))
    @pytest.mark.parametrize(
        ("change", "wanted"),
        [
            ("cancel", {S.CONFIRMED}),
            ("mark_fulfilled", {S.CONFIRMED}),
            ("mark_unfulfilled", {S.CONFIRMED, S.COMPLETED}),
            ("mark_returned", {S.CONFIRMED, S.COMPLETED}),
        ],
    )
    async def test_change_lines_of_orders_that_are_open_for_it(
        self, database, placed, do, cancel, start, change, wanted
    ):
        order = await placed()
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE order_lines SET fulfilled_quantity = 1 WHERE position = 1"
            )
        await _force(database, order, ORDER, start)

        async def attempt():
            if change == "cancel":
                return await cancel(order, {1: 1})
            return await do(getattr(ordering, change), order, {1: 1})

        if start in wanted:
            assert await attempt()
        else:
            with pytest.raises(OrderNotOpen) as refused:
                await attempt()
            assert refused.value.order_status == start
