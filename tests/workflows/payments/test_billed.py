"""An invoice says what an order's books say, wherever its money is."""

import io

import pypdf
import pytest

from holdfast.workflows import capture
from holdfast.workflows.invoices import Press

pytestmark = pytest.mark.usefixtures("set_aside")


@pytest.fixture
def invoice(shop, now_is):
    async def read(order):
        press = Press(("Holdfast Trading",))
        pdf = await press.invoice(shop.db, await now_is(order))
        (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
        return page.extract_text()

    return read


@pytest.fixture
def take(shop, clock):
    async def run(order):
        doing = {"db": shop.db, "provider": shop.payments, "clock": clock}
        await capture.capture(order.id, actor="key:1", **doing)

    return run


async def test_set_aside_partly_canceled_captured_and_partly_given_back(
    an_order, cancel, take, give_back, promise, invoice, now_is
):
    order = await an_order()
    assert "To be paid 19.98 EUR" in await invoice(order)

    await cancel(order, {1: 1})
    text = await invoice(order)
    assert "Total 9.99 EUR" in text
    assert "To be paid 9.99 EUR" in text

    await take(order)
    text = await invoice(order)
    assert "Paid 9.99 EUR" in text
    assert "To be paid" not in text
    assert "19.98" not in text

    await give_back(await now_is(order), 300)
    await promise(await now_is(order), 200)
    text = await invoice(order)
    assert "Given back -3.00 EUR" in text
    assert "On its way back -2.00 EUR" in text
    assert "Remaining 4.99 EUR" in text


async def test_of_a_refund_that_failed_says_that_it_is_owed(
    an_order, take, give_back, carry_out, invoice, now_is, clock
):
    order = await an_order("pm_refund_fails")
    await take(order)
    refund = await give_back(await now_is(order), 300)
    clock.advance(minutes=1)
    await carry_out(refund.id)

    text = await invoice(order)

    assert "To be given back -3.00 EUR" in text
    assert "Remaining 16.98 EUR" in text


async def test_that_the_shop_was_paid_for_by_hand_says_what_it_owes(
    shop, an_order, take, cancel, invoice
):
    order = await an_order()
    await take(order)
    async with shop.db.transaction() as tx:
        await tx.execute(
            "UPDATE orders SET paid_outside = true WHERE id = $1", order.id
        )
    await cancel(order, {1: 1})

    assert "To be given back -9.99 EUR" in await invoice(order)
