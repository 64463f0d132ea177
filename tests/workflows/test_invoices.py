"""An invoice says what was sold, what became of it and what was paid, to anybody."""

import asyncio
import io
from dataclasses import replace
from datetime import UTC, datetime

import pypdf
import pytest

from holdfast.domain.ordering import (
    Address,
    Order,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    Shipping,
)
from holdfast.domain.payments import Progress, Refund
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows import invoices
from holdfast.workflows.billing import bill
from holdfast.workflows.invoices import InvoiceNotReady, InvoicesBusy, Press, draw

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
SELLER = ("Holdfast Trading", "1 Quay, Rotterdam", "VAT NL000099998B57")
ADA = Address("Ada Lovelace", "12 Main St", "London", "GB", postal_code="SW1A 1AA")


def an_order(*lines, currency="EUR", name=None, **changes):
    lines = lines or (OrderLine(new_id(), "TEA", "Assam", 2, Money(999, currency)),)
    subtotal = sum((line.total for line in lines), Money(0, currency))
    order = Order(
        id=new_id(),
        number=1001,
        cart_id=new_id(),
        token_hash=b"",
        status=OrderStatus.CONFIRMED,
        currency=currency,
        email="ada@example.com",
        shipping_address=ADA if name is None else replace(ADA, name=name),
        shipping=Shipping("standard", Money(490, currency), "carrier"),
        lines=lines,
        subtotal=subtotal,
        total=subtotal + Money(490, currency),
        placed_at=NOON,
        settled_at=NOON,
        payment_reference="ch_1",
        payment_status=PaymentStatus.CAPTURED,
    )
    return replace(order, **{"captured_amount": order.total.amount, **changes})


def text_of(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return "\n".join(page.extract_text() for page in pages)


def a_refund(order, amount, **changes):
    refund = Refund(
        id=new_id(),
        order_id=order.id,
        amount=Money(amount, order.currency),
        status=Progress.SUCCEEDED,
        reason="damaged",
        requested_by="key:1",
        requested_at=NOON,
        reference="re_1",
        settled_at=NOON,
    )
    return replace(refund, **changes)


def drawn(order, refunds=(), events=()):
    return draw(order, bill(order, refunds, events), refunds, SELLER)


class TestDraw:
    def test_says_who_sold_what_to_whom(self):
        text = text_of(drawn(an_order()))

        for said in (*SELLER, "HF-1001", "2026-11-27", "ch_1", "Ada Lovelace"):
            assert said in text
        for said in ("SW1A 1AA London", "GB", "Assam", "TEA", "9.99 EUR", "19.98 EUR"):
            assert said in text
        assert "Shipping (standard) 4.90 EUR" in text
        assert "Total 24.88 EUR" in text

    @pytest.mark.parametrize(
        ("currency", "total"), [("JPY", "2,488 JPY"), ("KWD", "2.488 KWD")]
    )
    def test_counts_in_the_units_of_the_currency(self, currency, total):
        assert f"Total {total}" in text_of(drawn(an_order(currency=currency)))

    def test_says_what_was_canceled_and_returned(self):
        line = OrderLine(
            *(new_id(), "TEA", "Assam", 5, Money(999, "EUR")),
            canceled=1,
            fulfilled=4,
            returned=2,
        )

        text = text_of(drawn(an_order(line)))

        assert "TEA, 1 canceled, 2 returned" in text

    def test_charges_for_what_was_not_canceled(self):
        lines = [
            OrderLine(new_id(), "TEA", "Assam", 2, Money(999, "EUR"), canceled=1),
            OrderLine(new_id(), "MUG", "A mug", 1, Money(500, "EUR"), canceled=1),
        ]
        aside = {"payment_status": PaymentStatus.AUTHORIZED, "captured_amount": 0}

        text = text_of(drawn(an_order(*lines, **aside)))

        for said in ("TEA, 1 canceled", "MUG, 1 canceled", "Subtotal 9.99 EUR"):
            assert said in text
        for said in ("Total 14.89 EUR", "Paid 0.00 EUR", "To be paid 14.89 EUR"):
            assert said in text
        assert "24.98" not in text

    def test_of_an_order_that_was_canceled_and_released_comes_to_nothing(self):
        line = OrderLine(new_id(), "TEA", "Assam", 2, Money(999, "EUR"), canceled=2)
        order = an_order(
            line,
            status=OrderStatus.CANCELED,
            payment_status=PaymentStatus.VOIDED,
            captured_amount=0,
            canceled_at=datetime(2026, 11, 28, tzinfo=UTC),
        )

        text = text_of(drawn(order))

        for said in ("Canceled 2026-11-28", "Subtotal 0.00 EUR", "Total 0.00 EUR"):
            assert said in text
        assert "Paid 0.00 EUR" in text
        assert "To be paid" not in text

    def test_says_what_the_shop_still_has_to_give_back(self):
        line = OrderLine(new_id(), "TEA", "Assam", 2, Money(999, "EUR"), canceled=1)
        pending = a_refund(an_order(), 500, status=Progress.PENDING)
        order = an_order(line, paid_outside=True)

        text = text_of(draw(order, bill(order, [pending], []), [], SELLER))

        for said in ("Paid 24.88 EUR", "On its way back -5.00 EUR"):
            assert said in text
        assert "To be given back -4.99 EUR" in text
        assert "Remaining 14.89 EUR" in text

    def test_says_what_was_given_back(self):
        order = an_order()

        text = text_of(drawn(order, [a_refund(order, 999)]))

        assert "Given back -9.99 EUR" in text
        assert "Remaining 14.89 EUR" in text
        assert "2026-11-27: 9.99 EUR given back (re_1)" in text

    def test_says_what_goods_that_came_back_pay(self):
        order = an_order(credit_amount=1000, total=Money(1488, "EUR"))

        text = text_of(drawn(order))

        assert "Credit -10.00 EUR" in text
        assert "Total 14.88 EUR" in text

    def test_names_nobody_who_was_erased(self):
        order = an_order(shipping_address=None, email=None)

        assert "HF-1001" in text_of(drawn(order))

    def test_has_as_many_pages_as_it_needs(self):
        lines = [
            OrderLine(new_id(), f"SKU-{n}", "Tea " * 12, n, Money(999, "EUR"), n)
            for n in range(1, 61)
        ]

        pdf = drawn(an_order(*lines))

        pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
        assert len(pages) > 2
        text = text_of(pdf)
        assert [n for n in range(1, 61) if f"SKU-{n}\n" not in text] == []
        assert all(
            f"{n} / {len(pages)}" in page.extract_text()
            for n, page in enumerate(pages, start=1)
        )

    @pytest.mark.parametrize(
        "name",
        ["محمد بن عبد الله", "Ada 😀 Lovelace", "x" * 255, "<script>alert(1)</script>"],
        ids=["arabic", "emoji", "long", "script"],
    )
    def test_of_anybody_is_drawn_the_same_each_time(self, name):
        order = an_order(name=name)

        assert drawn(order) == drawn(order)


class TestPress:
    @pytest.mark.parametrize("status", [OrderStatus.PENDING, OrderStatus.FAILED])
    async def test_draws_none_before_the_order_is_confirmed(self, status, database):
        with pytest.raises(InvoiceNotReady):
            await Press(SELLER).invoice(database, an_order(status=status))

    async def test_leaves_out_what_was_not_given_back_for_it(
        self, database, monkeypatch
    ):
        order = an_order()
        given = a_refund(order, 1)
        found = [
            given,
            a_refund(order, 2, status=Progress.PENDING),
            a_refund(order, 3, status=Progress.FAILED),
            a_refund(order, 4, stray=True),
        ]

        async def refunds_of(*_):
            return found

        shown = []
        monkeypatch.setattr(invoices.payments, "refunds_of", refunds_of)
        monkeypatch.setattr(
            invoices, "draw", lambda _o, _b, refunds, _s: shown.extend(refunds)
        )
        await Press(SELLER).invoice(database, order)

        assert shown == [given]

    async def test_lets_others_be_served_meanwhile(self, database, monkeypatch):
        served = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(*_):
            # In the loop's thread this would wait for itself.
            asyncio.run_coroutine_threadsafe(served.wait(), loop).result(10)
            return b"%PDF"

        monkeypatch.setattr(invoices, "draw", slow)
        drawing = asyncio.create_task(Press(SELLER).invoice(database, an_order()))
        await asyncio.sleep(0)
        served.set()

        assert await drawing == b"%PDF"

    async def test_turns_away_more_than_may_wait(self, database):
        press = Press(SELLER)
        press.waiting = 20

        with pytest.raises(InvoicesBusy):
            await press.invoice(database, an_order())

    async def test_has_room_again_once_one_is_drawn(self, database):
        press = Press(SELLER)

        await press.invoice(database, an_order())

        assert press.waiting == 0
