"""What was canceled comes back: shipped, returned, restocked and refunded, once."""

import pytest

from holdfast.cli.replay import Options

AT = "2010-12-03 10:00:00"
ROWS = [
    ("1001", "TEA", "Tea", "6", AT, "2.50", "17850.0", "France"),
    ("1001", "CUP", "Cup", "2", AT, "4.00", "17850.0", "France"),
    ("1002", "TEA", "Tea", "3", AT, "2.00", "17850.0", "France"),
    ("1003", "TEA", "Tea", "9", AT, "2.50", "", "France"),
    # Three of the latest sale, at what they cost then, and one of the sale before.
    ("C1004", "TEA", "Tea", "-4", AT, "2.50", "17850.0", "France"),
    ("C1004", "CUP", "Cup", "-1", AT, "4.00", "17850.0", "France"),
    # Of nobody, of somebody who never bought it, and more than was bought.
    ("C1005", "TEA", "Tea", "-1", AT, "2.50", "", "France"),
    ("C1006", "D", "Discount", "-1", AT, "27.50", "14527.0", "France"),
    ("C1007", "CUP", "Cup", "-3", AT, "4.00", "17850.0", "France"),
]
REFUNDED = 3 * 200 + 250 + 400 + 400


@pytest.fixture
def canceled(write):
    return write(*ROWS)


@pytest.fixture
def kindness(client, served):
    """Give money of an order back that nobody has canceled."""

    async def give(order_id):
        answer = await client.post(
            f"/v1/orders/{order_id}/refunds",
            json={"reason": "sorry", "amount": {"amount": 100, "currency": "GBP"}},
            headers={
                "Authorization": f"Bearer {served.key}",
                "Idempotency-Key": "kindness",
            },
        )
        assert answer.is_success, answer.text

    return give


class TestReturning:
    async def test_brings_back_what_has_a_sale_and_lists_the_rest(
        self, served, canceled, replayed, payment_provider
    ):
        outcome = await replayed(served.options(canceled))

        assert outcome.code == 0, outcome.out + outcome.err
        told = outcome.report["canceled"]
        assert (told["cancellations"], told["lines"], told["units"]) == (4, 5, 6)
        assert (told["returns"], told["orders_shipped"]) == (3, 2)
        assert told["units_at_another_price"] == 3
        assert told["refunded"] == {"amount": REFUNDED, "currency": "GBP"}
        assert [
            (n["cancellation"], n["quantity"], n["why"]) for n in told["unmatched"]
        ] == [
            ("C1005", 1, "no customer is named"),
            *(("C1006", 1, "the customer has not bought it before, in these files"),),
            *(
                (
                    *("C1007", 2),
                    "the customer has not bought so many before, in these files",
                ),
            ),
        ]
        found = {f["what"]: f["found"] for f in outcome.report["findings"]}
        assert found["returns completed"] == "3"
        assert found["units returned"] == found["units free to be sold"] == "6"
        assert found["units returned in the ledger"] == "6"
        assert found["refunded"] == found["refunded at the provider"] == "16.50 GBP"
        refunds = payment_provider.get("/v1/summary")["refunded"]
        assert refunds["amount_by_currency"] == {"GBP": REFUNDED}

    async def test_ships_only_orders_of_which_something_comes_back(
        self, served, canceled, replayed, database
    ):
        await replayed(served.options(canceled))

        states = await database.fetch(
            "SELECT fulfilment_status AS state FROM orders ORDER BY total_amount"
        )
        assert [row["state"] for row in states] == [
            *("fulfilled", "unfulfilled", "fulfilled"),
        ]

    async def test_a_second_replay_returns_nothing_and_compares_again(
        self, served, canceled, replayed, payment_provider, database
    ):
        await replayed(served.options(canceled))
        before = payment_provider.get("/v1/summary")
        # As after a day: keys are forgotten, and returns known by their text.
        await database.fetch("DELETE FROM idempotency_keys")

        outcome = await replayed(served.options(canceled))

        assert outcome.code == 0, outcome.out + outcome.err
        assert payment_provider.get("/v1/summary") == before
        assert await database.fetchval("SELECT count(*) FROM returns") == 3

    @pytest.mark.parametrize("stops_at", ["approved", "received"])
    async def test_goes_on_where_it_was_interrupted(
        self, served, write, replayed, database, stops_at
    ):
        canceled = write(*ROWS[:5])
        await database.fetch(
            "ALTER TABLE returns ADD CONSTRAINT not_yet"
            f" CHECK (status <> '{stops_at}' AND order_id IS NOT NULL)"
        )
        interrupted = await replayed(served.options(canceled))
        await database.fetch("ALTER TABLE returns DROP CONSTRAINT not_yet")

        outcome = await replayed(served.options(canceled))

        assert interrupted.code == 1
        assert "not returned: C1004 of 100" in interrupted.out
        assert outcome.code == 0, outcome.out + outcome.err

    async def test_names_a_return_of_other_units(
        self, served, canceled, replayed, database
    ):
        await replayed(served.options(canceled))
        await database.fetch("UPDATE return_lines SET restocked_quantity = 0")

        outcome = await replayed(served.options(canceled))

        assert outcome.code == 1
        assert "other units or another refund: C1004 of 100" in outcome.differences

    async def test_names_a_refund_that_nobody_canceled_for(
        self, served, canceled, replayed, database, kindness
    ):
        await replayed(served.options(canceled))
        await kindness(
            await database.fetchval("SELECT id FROM orders ORDER BY total_amount DESC")
        )

        outcome = await replayed(served.options(canceled))

        assert outcome.code == 1
        assert "refunded: another amount: 100" in outcome.differences
        assert "refunded at the provider: another amount: HF-" in outcome.differences

    async def test_tells_people_what_has_no_sale(self, served, canceled, replayed):
        outcome = await replayed(Options(canceled, *served, concurrency=4))

        assert (
            "Of 4 cancellations with 5 lines, 6 units went back to 2 o" in outcome.out
        )
        assert "(3 of them were canceled at another)" in outcome.out
        assert (
            "Not returned, as no customer is named: 1 lines, 1 units, 2.50 GBP:"
            " C1005 TEA." in outcome.out
        )
