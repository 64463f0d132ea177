"""A quote is always answered, and says how sure of itself it is."""

import msgspec
import pytest

from holdfast.domain.shipping import Method, Parcel, Quote, Source
from holdfast.kernel.money import MAX_AMOUNT, Money
from holdfast.platform.embedded.ports import free_port
from holdfast.workflows.providers import carrier as carrier_of

GERMANY = Parcel.of(country="DE", weight_grams=700, currency="EUR")
FRANCE = Parcel.of(country="FR", weight_grams=700, currency="EUR")
NAMED = Quote(Money(490, "EUR"), Source.CARRIER)
LAST = Quote(Money(490, "EUR"), Source.LAST_QUOTE)
FLAT = Quote(Money(990, "EUR"), Source.FLAT_RATE)
STANDARD = Method.STANDARD


def rates(*rates: tuple[str, int, str]) -> bytes:
    """Rates as the carrier writes them."""
    return msgspec.json.encode(
        {
            "rates": [
                {"service": service, "price": {"amount": n, "currency": currency}}
                for service, n, currency in rates
            ]
        }
    )


NOT_RATES = {
    "nothing": b"",
    "text": b"OK",
    "broken UTF-8": b'{"rates": "\xff"}',
    "deep nesting": b'{"rates": [' + b'{"x":[' * 20_000,
    "another shape": b'{"rates": 7}',
    "another currency": rates(("standard", 490, "USD")),
    "a negative price": rates(("standard", -1, "EUR")),
    "a price beyond measure": rates(("standard", MAX_AMOUNT + 1, "EUR")),
    "no rates": rates(),
    "more than anybody says": b" " * 100_000,
}


class TestQuote:
    async def test_is_the_carriers_price(self, quotes_at, carrier):
        quote = await quotes_at(carrier.url).quote(STANDARD, GERMANY)

        assert quote == NAMED

    async def test_fetching_it_oneself_is_free_and_nobody_is_asked(self, quotes_at):
        nobody = quotes_at(f"http://127.0.0.1:{free_port()}")

        quote = await nobody.quote(Method.PICKUP, GERMANY)

        assert quote == Quote(Money(0, "EUR"), Source.SHOP)

    async def test_is_used_again_for_a_minute_without_asking(
        self, quotes_at, carrier, watch
    ):
        ours = quotes_at(carrier.url)
        await ours.quote(STANDARD, GERMANY)
        carrier.misbehave(fail="error")

        watch.seconds = 60
        assert await ours.quote(STANDARD, GERMANY) == NAMED
        assert ours.recall(STANDARD, GERMANY) == NAMED
        watch.seconds = 61
        assert ours.recall(STANDARD, GERMANY) is None
        assert await ours.quote(STANDARD, GERMANY) == LAST

    async def test_the_last_one_is_good_for_a_quarter_of_an_hour(
        self, quotes_at, carrier, watch
    ):
        ours = quotes_at(carrier.url)
        await ours.quote(STANDARD, GERMANY)
        carrier.misbehave(fail="error")

        watch.seconds = 15 * 60
        assert await ours.quote(STANDARD, GERMANY) == LAST
        watch.seconds += 1
        assert await ours.quote(STANDARD, GERMANY) == FLAT

    @pytest.mark.parametrize("fail", ["hang", "error", "garbage", "reset"])
    async def test_is_a_flat_rate_when_the_carrier_fails(
        self, quotes_at, carrier, fail
    ):
        carrier.misbehave(fail=fail)

        assert await quotes_at(carrier.url).quote(STANDARD, GERMANY) == FLAT

    async def test_is_a_flat_rate_when_there_is_no_carrier(self, quotes_at):
        nobody = quotes_at(f"http://127.0.0.1:{free_port()}")

        assert await nobody.quote(STANDARD, GERMANY) == FLAT

    @pytest.mark.parametrize("body", NOT_RATES.values(), ids=NOT_RATES)
    async def test_is_a_flat_rate_when_the_answer_is_nonsense(
        self, quotes_at, says, body
    ):
        url = await says(200, body)

        assert await quotes_at(url).quote(STANDARD, GERMANY) == FLAT

    async def test_leaves_alone_what_else_the_carrier_offers(self, quotes_at, says):
        offered = rates(("drone", 1, "EUR"), ("standard", 490, "EUR"))
        url = await says(200, offered)

        assert await quotes_at(url).quote(STANDARD, GERMANY) == NAMED
        assert await quotes_at(url).quote(Method.EXPRESS, GERMANY) == Quote(
            Money(1990, "EUR"), Source.FLAT_RATE
        )

    async def test_a_carrier_that_failed_is_left_alone_for_two_seconds(
        self, quotes_at, carrier, watch
    ):
        ours = quotes_at(carrier.url)
        carrier.misbehave(fail="error", count=1)
        await ours.quote(STANDARD, GERMANY)

        assert await ours.quote(STANDARD, FRANCE) == FLAT
        watch.seconds = 2
        assert await ours.quote(STANDARD, FRANCE) == NAMED

    async def test_a_parcel_the_carrier_refuses_costs_others_nothing(
        self, quotes_at, carrier
    ):
        ours = quotes_at(carrier.url)
        beyond = Parcel.of(country="DE", weight_grams=10**12, currency="EUR")

        assert await ours.quote(STANDARD, beyond) == FLAT
        assert await ours.quote(STANDARD, GERMANY) == NAMED

    async def test_is_found_where_another_process_left_it(
        self, quotes_at, carrier, shared
    ):
        await quotes_at(carrier.url, shared=shared).quote(STANDARD, GERMANY)
        carrier.misbehave(fail="error")

        newcomer = quotes_at(carrier.url, shared=shared)

        assert await newcomer.quote(STANDARD, GERMANY) == LAST
        assert await newcomer.quote(STANDARD, FRANCE) == FLAT

    async def test_nonsense_left_by_another_process_is_passed_over(
        self, quotes_at, carrier, shared
    ):
        await quotes_at(carrier.url, shared=shared).quote(STANDARD, GERMANY)
        shared.kept = dict.fromkeys(shared.kept, b'{"teleport": 1}')
        carrier.misbehave(fail="error")

        assert await quotes_at(carrier.url, shared=shared).quote(STANDARD, GERMANY) == (
            FLAT
        )

    async def test_remembers_a_bounded_number_of_parcels(self, quotes_at, says):
        url = await says(200, rates(("standard", 490, "EUR")))
        ours = quotes_at(url)
        first, *_ = parcels = [Parcel("DE", n * 500, "EUR") for n in range(1, 4098)]

        for parcel in parcels:
            await ours._remember(parcel, {STANDARD: Money(1, "EUR")})

        assert ours.recall(STANDARD, first) is None
        assert len(ours._last) == 8192


class TestPostalCodes:
    LONDON = Parcel.of(
        country="GB", weight_grams=700, currency="EUR", postal_code="SW1A 1AA"
    )
    LEEDS = Parcel.of(
        country="GB", weight_grams=700, currency="EUR", postal_code="LS1 1UR"
    )

    async def test_are_told_to_the_carrier(self, quotes_at, hears):
        url, heard = await hears(rates(("standard", 490, "EUR")))

        await quotes_at(url).quote(STANDARD, self.LONDON)
        await quotes_at(url).quote(STANDARD, GERMANY)

        assert [body.get("postal_code") for body in heard] == ["SW1A 1AA", None]

    async def test_each_is_asked_about(self, quotes_at, hears):
        url, heard = await hears(rates(("standard", 490, "EUR")))
        ours = quotes_at(url)

        for parcel in (self.LONDON, self.LEEDS, self.LONDON):
            await ours.quote(STANDARD, parcel)

        assert len(heard) == 2

    async def test_another_of_the_country_is_better_than_a_flat_rate(
        self, quotes_at, carrier, watch
    ):
        ours = quotes_at(carrier.url)
        asked = await ours.quote(STANDARD, self.LONDON)
        carrier.misbehave(fail="error")

        assert await ours.quote(STANDARD, self.LEEDS) == Quote(
            asked.price, Source.LAST_QUOTE
        )

    async def test_are_not_shared_with_other_processes(
        self, quotes_at, carrier, shared
    ):
        await quotes_at(carrier.url, shared=shared).quote(STANDARD, self.LONDON)

        assert list(shared.kept) == ["shipping:GB:1000:EUR"]


class TestSize:
    async def test_is_told_to_the_carrier(self, session, hears):
        url, heard = await hears(rates(("standard", 490, "EUR")))
        ours = carrier_of(session, url, timeout_seconds=1, size=(400, 300, 200))

        await ours.quote(STANDARD, GERMANY)

        assert (heard[0]["length_mm"], heard[0]["height_mm"]) == (400, 200)
