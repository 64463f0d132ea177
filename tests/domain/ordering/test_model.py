"""Sums that add up, and carts that may not become orders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.ordering import (
    MAX_LINES,
    MAX_QUANTITY,
    CartEmpty,
    CartIncomplete,
    CartTooLarge,
    CurrencyMismatch,
    OrderStatus,
    QuantityOutOfRange,
    TotalTooLarge,
    VariantUnavailable,
    check_currency,
    check_line_count,
    check_quantity,
    check_total,
    draft,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import MAX_AMOUNT, Money


class TestCart:
    def test_adds_up_its_lines_and_the_shipping(self, a_cart, a_line):
        lines = [
            a_line(quantity=2, unit_price=Money(999, "EUR"), weight_grams=100),
            a_line(quantity=3, unit_price=Money(10, "EUR"), weight_grams=1),
        ]

        cart = a_cart(lines=lines)

        assert cart.subtotal == Money(2028, "EUR")
        assert cart.shipping_total == Money(490, "EUR")
        assert cart.total == Money(2518, "EUR")
        assert cart.weight_grams == 203

    def test_costs_nothing_while_it_is_empty(self, a_cart):
        cart = a_cart(lines=[], shipping=None)

        assert cart.total == cart.shipping_total == Money(0, "EUR")
        assert cart.weight_grams == 0


class TestDraft:
    def test_is_a_pending_order_with_every_total_frozen(self, a_cart, a_line, clock):
        cart = a_cart(lines=[a_line(quantity=3)])
        order_id = new_id()

        order = draft(cart, order_id=order_id, at=clock())

        assert (order.id, order.cart_id) == (order_id, cart.id)
        assert order.status is OrderStatus.PENDING
        assert order.token_hash == cart.token_hash
        assert order.subtotal == order.lines[0].total == Money(2997, "EUR")
        assert order.total == Money(3487, "EUR")
        assert order.settled_at is None

    def test_an_empty_cart_is_no_order(self, a_cart):
        with pytest.raises(CartEmpty):
            draft(a_cart(lines=[]), order_id=new_id(), at=None)

    @pytest.mark.parametrize(
        ("without", "missing"),
        [
            (["email"], ["email"]),
            (["shipping_address", "shipping"], ["shipping_address", "shipping_method"]),
            (["shipping"], ["shipping_method"]),
            (
                ["email", "shipping_address", "shipping"],
                ["email", "shipping_address", "shipping_method"],
            ),
        ],
    )
    def test_says_all_that_is_missing(self, a_cart, without, missing):
        cart = a_cart(**dict.fromkeys(without))

        with pytest.raises(CartIncomplete) as refused:
            draft(cart, order_id=new_id(), at=None)

        assert refused.value.missing == missing

    def test_names_each_product_that_is_no_longer_sold_once(self, a_cart, a_line):
        lines = [
            a_line(sku="TEA", active=False),
            a_line(sku="CUP", active=False),
            a_line(sku="TEA", active=False),
            a_line(sku="POT"),
        ]

        with pytest.raises(VariantUnavailable) as refused:
            draft(a_cart(lines=lines), order_id=new_id(), at=None)

        assert refused.value.skus == ["CUP", "TEA"]

    def test_a_total_beyond_measure_is_refused(self, a_cart, a_line):
        lines = [a_line(unit_price=Money(MAX_AMOUNT, "EUR"))]

        with pytest.raises(TotalTooLarge):
            draft(a_cart(lines=lines), order_id=new_id(), at=None)


class TestOrder:
    def test_people_know_it_by_a_short_number(self, an_order):
        assert an_order().numbered(1001).label == "HF-1001"

    def test_is_confirmed_with_a_reference(self, an_order, clock):
        order = an_order().confirmed("ch_1", clock())

        assert order.status is OrderStatus.CONFIRMED
        assert (order.payment_reference, order.settled_at) == ("ch_1", clock())
        assert order.failure_reason is None

    def test_fails_with_a_reason(self, an_order, clock):
        order = an_order().failed("card_declined", clock())

        assert order.status is OrderStatus.FAILED
        assert (order.failure_reason, order.settled_at) == ("card_declined", clock())
        assert order.payment_reference is None


class TestChecks:
    @pytest.mark.parametrize("quantity", [1, MAX_QUANTITY])
    def test_a_quantity_within_bounds_passes(self, quantity):
        assert check_quantity("TEA", quantity) is None

    @given(st.one_of(st.integers(max_value=0), st.integers(MAX_QUANTITY + 1)))
    def test_a_quantity_out_of_bounds_is_refused(self, quantity):
        with pytest.raises(QuantityOutOfRange):
            check_quantity("TEA", quantity)

    def test_a_cart_holds_a_thousand_lines_and_not_one_more(self):
        check_line_count(MAX_LINES)

        with pytest.raises(CartTooLarge):
            check_line_count(MAX_LINES + 1)

    def test_a_price_in_another_currency_is_refused(self):
        check_currency("EUR", "TEA", "EUR")

        with pytest.raises(CurrencyMismatch) as refused:
            check_currency("EUR", "TEA", "USD")

        assert refused.value.details == {
            "sku": "TEA",
            "cart_currency": "EUR",
            "priced_in": "USD",
        }

    def test_a_total_goes_to_the_largest_amount(self):
        check_total(Money(MAX_AMOUNT, "EUR"))

        with pytest.raises(TotalTooLarge):
            check_total(Money(MAX_AMOUNT + 1, "EUR"))
