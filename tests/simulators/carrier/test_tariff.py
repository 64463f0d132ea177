"""What it costs to send a parcel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.carrier import tariff
from holdfast.simulators.carrier.tariff import RatesRequest, rates

COUNTRIES = st.sampled_from(["DE", "CH", "US", "JP"])
CURRENCIES = st.sampled_from([*tariff.MINOR_UNITS_PER_EURO, "XYZ"])


class TestRates:
    @pytest.mark.parametrize(
        ("country", "grams", "standard", "express"),
        [
            ("DE", 0, 390, 1280),
            ("DE", 500, 390, 1280),
            ("DE", 501, 490, 1480),
            ("SE", 2_001, 690, 1880),
            ("GB", 500, 790, 2080),
            ("US", 10_000, 4990, 10480),
            ("JP", 30_000, 11990, 24480),
            ("DE", 30_001, 1690 + 390, 4660),
            ("DE", 60_000, 2 * 1690, 7260),
        ],
    )
    def test_follow_zone_band_and_service(self, country, grams, standard, express):
        found = rates(RatesRequest(country, grams, "EUR"))

        assert [rate.service for rate in found] == ["standard", "express"]
        assert [rate.price.amount for rate in found] == [standard, express]

    @pytest.mark.parametrize(
        ("currency", "amount"),
        [("EUR", 390), ("USD", 429), ("JPY", 624), ("CHF", 371), ("XYZ", 390)],
    )
    def test_are_whole_minor_units_of_any_currency_rounded_up(self, currency, amount):
        standard, _ = rates(RatesRequest("DE", 1, currency))

        assert standard.price == tariff.Price(amount, currency)

    @given(
        country=COUNTRIES,
        currency=CURRENCIES,
        lighter=st.integers(0, 10**6),
        more=st.integers(0, 10**6),
    )
    def test_never_fall_with_weight_and_express_costs_more_and_is_faster(
        self, country, currency, lighter, more
    ):
        light = rates(RatesRequest(country, lighter, currency))
        heavy = rates(RatesRequest(country, lighter + more, currency))

        for one, other in zip(light, heavy, strict=True):
            assert 0 < one.price.amount <= other.price.amount
        standard, express = heavy
        assert express.price.amount > standard.price.amount
        assert express.days_max < standard.days_max
        assert express.days_min <= express.days_max

    def test_the_documented_table_is_the_one_in_use(self):
        for zone in (tariff.UNION, tariff.EUROPE, tariff.WEST, tariff.WORLD):
            row = next(
                line
                for line in (tariff.__doc__ or "").splitlines()
                if line.startswith(f"| {zone.name} ")
            )
            *_, days = cells = [cell.strip() for cell in row.strip("|").split("|")]
            assert tuple(int(cell) for cell in cells[2:7]) == zone.cents
            assert tuple(int(day) for day in days.split("-")) == zone.days
