"""What it costs to send a parcel."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.carrier import tariff
from holdfast.simulators.carrier.tariff import RatesRequest, rates

COUNTRIES = st.sampled_from(["DE", "CH", "US", "JP"])
CURRENCIES = st.sampled_from([*tariff.MINOR_UNITS_PER_EURO, "XYZ"])


@pytest.fixture(scope="module")
def a_request() -> Callable[..., RatesRequest]:
    def build(country="DE", grams=1, currency="EUR", **more: object) -> RatesRequest:
        return RatesRequest(
            country=country, weight_grams=grams, currency=currency, **more
        )

    return build


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
    def test_follow_zone_band_and_service(
        self, a_request, country, grams, standard, express
    ):
        found = rates(a_request(country, grams, "EUR"))

        assert [rate.service for rate in found] == ["standard", "express"]
        assert [rate.price.amount for rate in found] == [standard, express]

    @pytest.mark.parametrize(
        ("currency", "amount"),
        [("EUR", 390), ("USD", 429), ("JPY", 624), ("CHF", 371), ("XYZ", 390)],
    )
    def test_are_whole_minor_units_of_any_currency_rounded_up(
        self, a_request, currency, amount
    ):
        standard, _ = rates(a_request("DE", 1, currency))

        assert standard.price == tariff.Price(amount, currency)

    @given(
        country=COUNTRIES,
        currency=CURRENCIES,
        lighter=st.integers(0, 10**6),
        more=st.integers(0, 10**6),
    )
    def test_never_fall_with_weight_and_express_costs_more_and_is_faster(
        self, a_request, country, currency, lighter, more
    ):
        light = rates(a_request(country, lighter, currency))
        heavy = rates(a_request(country, lighter + more, currency))

        for one, other in zip(light, heavy, strict=True):
            assert 0 < one.price.amount <= other.price.amount
        standard, express = heavy
        assert express.price.amount > standard.price.amount
        assert express.days_max < standard.days_max
        assert express.days_min <= express.days_max

    @pytest.mark.parametrize(
        ("measures", "charged"),
        [
            ((100, 100, 100), 1_000),
            ((300, 200, 100), 1_200),
            ((300, 200, 101), 1_212),
            ((1, 1, 1), 1_000),
        ],
    )
    def test_charge_for_volume_what_is_light_for_its_size(
        self, a_request, measures, charged
    ):
        length, width, height = measures

        request = a_request(
            grams=1_000, length_mm=length, width_mm=width, height_mm=height
        )

        assert request.charged_grams == charged
        assert rates(request) == rates(a_request(grams=charged))

    @pytest.mark.parametrize(
        ("measures", "too_large"),
        [
            ((1_200, 450, 450), False),
            ((450, 450, 1_201), True),
            ((1_200, 450, 451), True),
            ((451, 1_200, 450), True),
        ],
    )
    def test_go_by_length_and_girth_whichever_way_round(
        self, a_request, measures, too_large
    ):
        length, width, height = measures

        request = a_request(length_mm=length, width_mm=width, height_mm=height)

        assert request.too_large is too_large

    @pytest.mark.parametrize(
        ("country", "postal_code", "more"),
        [("GB", "ze1 0aa", 900), ("GB", "SW1A 1AA", 0), ("DE", "ZE1", 0)],
    )
    def test_cost_more_and_take_longer_to_remote_areas(
        self, a_request, country, postal_code, more
    ):
        near, _ = rates(a_request(country))
        far, fast = rates(a_request(country, postal_code=postal_code))

        assert far.price.amount - near.price.amount == more
        assert far.days_max - near.days_max == (2 if more else 0)
        assert fast.price.amount == 2 * far.price.amount + 500

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
