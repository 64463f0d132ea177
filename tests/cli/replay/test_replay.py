"""What a shop has sold is sold again, exactly, and never twice."""

import shutil
from collections import Counter

import pytest

from holdfast.cli.replay import Options
from holdfast.cli.replay.placing import handle_of

UNITS = 1_000_016
PENCE = 6 * 255 + 6 * 339 + 2 * 210 + 496 + 1500 + 1_000_000 * 255


class TestReplay:
    async def test_sells_exactly_what_the_files_say(self, served, month, replayed):
        outcome = await replayed(served.options(month))

        assert outcome.code == 0, outcome.out + outcome.err
        assert outcome.report["same"]
        assert outcome.report["files"] == {
            "invoices": 2,
            "articles": 4,
            "units": UNITS,
            "revenue": {"amount": PENCE, "currency": "GBP"},
        }
        found = {f["what"]: f["found"] for f in outcome.report["findings"]}
        assert found["orders paid"] == "2"
        assert found["units sold"] == found["units promised or sold"] == "1,000,016"
        assert (
            found["revenue"] == found["captured at the provider"] == "2,550,059.80 GBP"
        )
        assert found["units free to be sold"] == "0"

    async def test_sells_under_the_names_and_usual_prices_of_the_files(
        self, served, month, replayed, client
    ):
        await replayed(served.options(month))

        product = (await client.get("/v1/products/retail-85123a")).json()
        assert product["title"] == "WHITE HEART HOLDER"
        assert product["variants"][0]["price"] == {"amount": 255, "currency": "GBP"}
        other = (await client.get(f"/v1/products/{handle_of('85123a')}")).json()
        assert other["title"] == "White heart, big"

    async def test_a_second_replay_orders_nothing_and_compares_again(
        self, served, month, replayed, payment_provider
    ):
        await replayed(served.options(month))
        before = payment_provider.get("/v1/summary")

        outcome = await replayed(served.options(month))

        assert outcome.code == 0, outcome.out
        assert outcome.report["placed_before"] == 2
        assert payment_provider.get("/v1/summary") == before

    async def test_goes_on_where_it_was_interrupted(
        self, served, month, replayed, database
    ):
        # Only the second invoice has a line of so many.
        await database.fetch(
            "ALTER TABLE cart_lines ADD CONSTRAINT not_yet CHECK (quantity < 1000000)"
        )
        interrupted = await replayed(Options(month, *served, concurrency=4))
        await database.fetch("ALTER TABLE cart_lines DROP CONSTRAINT not_yet")

        outcome = await replayed(Options(month, *served, concurrency=4))

        assert interrupted.code == 1
        assert "not ordered: 536366" in interrupted.out
        assert outcome.code == 0, outcome.out
        assert "an earlier replay that had ordered 1 of 2 invoices" in outcome.out

    async def test_an_order_under_way_is_not_made_twice(
        self, served, month, replayed, readdress, database
    ):
        await replayed(served.options(month))
        # As if the first answer had not been in the list yet.
        await readdress("@replay.example.com", "@late.example.com")

        outcome = await replayed(served.options(month))

        assert outcome.report["refused"] == {}
        assert await database.fetchval("SELECT count(*) FROM orders") == 2

    async def test_passes_over_orders_of_buyers_that_were_erased(
        self, served, month, replayed, buy, database
    ):
        bought = await buy()
        await database.fetch(
            "UPDATE orders SET sealed = NULL, email_index = NULL WHERE id = $1",
            bought.order.id,
        )

        outcome = await replayed(served.options(month))

        assert outcome.code == 0, outcome.out + outcome.err

    async def test_refuses_a_shop_that_holds_the_replay_of_other_files(
        self, served, write, replayed, bought
    ):
        await replayed(served.options(write(*bought[:2])))

        outcome = await replayed(served.options(write(*bought)))

        assert outcome.code == 2
        assert "holds the replay of other files" in outcome.err

    async def test_shows_a_table_to_people(self, served, month, replayed):
        options = served.options(month)

        outcome = await replayed(Options(month, *served, concurrency=4))

        assert options.as_json
        assert "Everything agrees" in outcome.out
        assert "1,000,016" in outcome.out

    async def test_an_invoice_that_is_refused_is_named(
        self, served, month, replayed, readdress, database
    ):
        # One unit of what the shop has to sell is gone before the first order.
        await replayed(served.options(month))
        await readdress("@replay.example.com", "@another.example.com")
        await database.fetch("DELETE FROM idempotency_keys")
        await database.fetch("UPDATE products SET status = 'archived'")

        outcome = await replayed(Options(month, *served, concurrency=4))

        assert outcome.code == 1
        assert "invoice 536365 was refused: " in outcome.out
        assert "not ordered: 536365, 536366" in outcome.out


class TestRealSales:
    @pytest.mark.slow
    async def test_days_of_a_real_shop_are_sold_and_canceled_to_the_penny(
        self, served, real_sales, replayed, tmp_path
    ):
        for day in ("2010-12-10.csv", "2010-12-22.csv"):
            shutil.copy(real_sales / day, tmp_path)

        outcome = await replayed(
            Options(tmp_path, *served, concurrency=16, as_json=True)
        )

        assert outcome.code == 0, outcome.out + outcome.err
        found = {f["what"]: f["found"] for f in outcome.report["findings"]}
        assert found["orders paid"] == "94"
        assert found["returns completed"] == "6"
        assert found["units returned"] == "480"
        assert found["refunded at the provider"] == "1,407.83 GBP"
        why = Counter(n["why"] for n in outcome.report["canceled"]["unmatched"])
        assert sorted(why.values()) == [1, 1, 31]

    @pytest.mark.long
    async def test_a_month_of_a_real_shop_is_sold_and_canceled_to_the_penny(
        self, served, real_sales, replayed, tell
    ):
        outcome = await replayed(
            Options(real_sales, *served, concurrency=16, as_json=True)
        )

        assert outcome.code == 0, outcome.out + outcome.err
        found = {f["what"]: f["found"] for f in outcome.report["findings"]}
        assert found["orders paid"] == "1,559"
        assert found["units sold"] == "359,239"
        assert found["revenue"] == "823,746.14 GBP"
        assert found["captured at the provider"] == "823,746.14 GBP"
        assert found["returns completed"] == "164"
        assert found["units returned"] == found["units free to be sold"] == "3,241"
        assert found["refunded at the provider"] == "8,149.42 GBP"
        told = outcome.report["canceled"]
        assert (told["cancellations"], told["lines"]) == (326, 728)
        assert len(told["unmatched"]) == 429
        # The time is told and not judged: this machine may be busy, and here the shop
        # shares a process with its test.
        tell(f"a month replayed in {outcome.report['seconds']:.1f} s")
