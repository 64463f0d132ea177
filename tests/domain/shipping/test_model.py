"""Parcels by band, a price when nobody names one, and how long a price is good for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.shipping import Method, Parcel, Source, flat_rate, is_outdated
from holdfast.domain.shipping.model import BAND_GRAMS
from holdfast.kernel.money import CURRENCIES, Money


class TestParcel:
    @pytest.mark.parametrize(
        ("grams", "band"), [(0, 500), (1, 500), (500, 500), (501, 1000), (1000, 1000)]
    )
    def test_weighs_its_band(self, grams, band):
        parcel = Parcel.of(country="DE", weight_grams=grams, currency="EUR")

        assert parcel == Parcel("DE", band, "EUR")

    @given(st.integers(0, 10**18))
    def test_is_never_lighter_than_what_is_in_it(self, grams):
        parcel = Parcel.of(country="DE", weight_grams=grams, currency="EUR")

        assert 0 <= parcel.weight_grams - grams <= BAND_GRAMS


class TestFlatRate:
    @pytest.mark.parametrize(
        ("method", "currency", "amount"),
        [
            (Method.STANDARD, "EUR", 990),
            (Method.EXPRESS, "EUR", 1990),
            (Method.PICKUP, "EUR", 0),
            (Method.STANDARD, "JPY", 990),
            (Method.STANDARD, "KWD", 9900),
        ],
    )
    def test_has_the_same_digits_in_every_currency(self, method, currency, amount):
        assert flat_rate(method, currency) == Money(amount, currency)

    def test_there_is_one_in_every_currency(self):
        assert all(
            flat_rate(method, currency).amount >= 0
            for method in Method
            for currency in CURRENCIES
        )


class TestOutdated:
    NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("source", "seconds"),
        [(Source.CARRIER, 840), (Source.LAST_QUOTE, 60), (Source.FLAT_RATE, 60)],
    )
    def test_is_a_price_that_was_asked_for_too_long_ago(self, source, seconds):
        asked = self.NOW - timedelta(seconds=seconds)

        assert not is_outdated(source, asked, at=self.NOW)
        assert is_outdated(source, asked, at=self.NOW + timedelta(microseconds=1))

    def test_is_a_price_of_unknown_age(self):
        assert is_outdated(Source.CARRIER, None, at=self.NOW)

    def test_is_never_what_the_shop_says_itself(self):
        assert not is_outdated(Source.SHOP, None, at=self.NOW)
        assert not is_outdated(Source.SHOP, self.NOW - timedelta(99), at=self.NOW)
