"""Amounts are exact, and never mix currencies."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.money import (
    CURRENCIES,
    MAX_AMOUNT,
    CurrencyMismatch,
    Money,
    exponent,
    parse,
    total,
)

currencies = st.sampled_from(sorted(CURRENCIES))
amounts = st.integers(0, MAX_AMOUNT)
eur = amounts.map(lambda amount: Money(amount, "EUR"))


class TestMoney:
    @given(amounts, amounts, currencies)
    def test_adds_minor_units(self, one, other, currency):
        added = Money(one, currency) + Money(other, currency)

        assert added == Money(one + other, currency)

    def test_refuses_to_add_two_currencies(self):
        with pytest.raises(CurrencyMismatch, match=r"EUR \+ USD"):
            Money(1, "EUR") + Money(1, "USD")

    @given(amounts, st.integers(0, 1_000_000))
    def test_a_quantity_times_a_price_is_that_many_additions(self, amount, quantity):
        assert (Money(amount, "EUR") * quantity).amount == amount * quantity

    @pytest.mark.parametrize(
        ("money", "shown"),
        [
            (Money(1999, "EUR"), "19.99 EUR"),
            (Money(500, "JPY"), "500 JPY"),
            (Money(1250, "KWD"), "1.250 KWD"),
            (Money(5, "CLF"), "0.0005 CLF"),
            (Money(123_456_789_00, "GBP"), "123,456,789.00 GBP"),
            (Money(0, "EUR"), "0.00 EUR"),
            (Money(-250, "EUR"), "-2.50 EUR"),
        ],
    )
    def test_is_shown_with_the_places_of_its_currency(self, money, shown):
        assert str(money) == shown

    def test_cannot_be_changed(self):
        with pytest.raises(AttributeError):
            Money(1, "EUR").amount = 2


class TestExponent:
    @pytest.mark.parametrize(
        ("currency", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("UYW", 4)]
    )
    def test_follows_iso_4217(self, currency, places):
        assert exponent(currency) == places

    @pytest.mark.parametrize("code", ["eur", "EURO", "", "XXX", "DEM"])
    def test_refuses_what_is_no_active_currency(self, code):
        with pytest.raises(ValueError, match="unknown currency"):
            exponent(code)


class TestTotal:
    def test_of_nothing_is_zero_of_the_currency_asked_for(self):
        assert total([], "JPY") == Money(0, "JPY")

    @given(st.lists(eur))
    def test_is_the_sum_in_any_order(self, several):
        assert total(several, "EUR") == total(reversed(several), "EUR")
        assert total(several, "EUR").amount == sum(money.amount for money in several)

    def test_refuses_a_foreign_amount(self):
        with pytest.raises(CurrencyMismatch):
            total([Money(1, "EUR"), Money(1, "USD")], "EUR")


class TestParse:
    @pytest.mark.parametrize(
        ("text", "currency", "amount"),
        [
            ("19.99", "EUR", 1999),
            ("19.9", "EUR", 1990),
            (" 7 ", "EUR", 700),
            ("0", "EUR", 0),
            ("0.005", "EUR", 1),
            ("0.00499999999999999999999999999999999999", "EUR", 0),
            ("500", "JPY", 500),
            ("499.5", "JPY", 500),
            ("1.2345", "KWD", 1235),
            ("10000000000000.00", "EUR", MAX_AMOUNT),
        ],
    )
    def test_reads_a_decimal_in_minor_units(self, text, currency, amount):
        assert parse(text, currency) == Money(amount, currency)

    @given(amounts, currencies)
    def test_reads_back_what_was_written(self, amount, currency):
        written = Decimal(amount).scaleb(-exponent(currency))

        assert parse(f"{written:f}", currency) == Money(amount, currency)

    @given(st.from_regex(r"\A[0-9]{1,10}\.[0-9]{1,28}\Z"), currencies)
    def test_is_never_further_off_than_half_a_minor_unit(self, text, currency):
        exact = Fraction(text) * 10 ** exponent(currency)

        assert -Fraction(1, 2) <= exact - parse(text, currency).amount < Fraction(1, 2)

    @pytest.mark.parametrize(
        "text",
        [
            *("", " ", "-1", "+1", "1e3", "1_000", "1,99", "1.", ".5", "1.2.3"),
            *("NaN", "Infinity", "0x10", "٣", "19.99 EUR", "1" * 41, "1\x00"),
        ],
    )
    def test_refuses_what_is_not_a_plain_decimal(self, text):
        with pytest.raises(ValueError, match="is not an amount"):
            parse(text, "EUR")

    @pytest.mark.parametrize("text", ["10000000000000.01", "9" * 40])
    def test_refuses_more_than_the_largest_amount(self, text):
        with pytest.raises(ValueError, match="is too large"):
            parse(text, "EUR")

    @given(st.text())
    def test_any_text_is_an_amount_or_refused(self, text):
        try:
            money = parse(text, "EUR")
        except ValueError:
            return
        assert 0 <= money.amount <= MAX_AMOUNT
