"""An order that was paid to the shop itself is no business of the provider's."""

from datetime import timedelta

from holdfast.domain.payments import Progress
from holdfast.workflows.reconciliation import Reconciliation


async def test_its_refunds_are_not_looked_for_at_the_provider(
    shop, an_order, give_back, differences, payment_provider
):
    order = await an_order()
    async with shop.db.transaction() as tx:
        await tx.execute(
            "UPDATE orders SET paid_outside = true WHERE id = $1", order.id
        )
    payment_provider.behave()
    refund = await give_back(order, 500)

    doing = Reconciliation(shop.db, shop.vault, shop.payments, shop.clock)
    report = await doing.run(shop.clock() - timedelta(days=30))

    assert refund.status is Progress.SUCCEEDED
    assert await differences() == []
    assert (report.new, report.open) == (0, 0)
