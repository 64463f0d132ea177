"""Whatever the books and the files disagree on is found and named."""

import asyncio

import httpx

from holdfast.cli.replay import placing


class TestComparison:
    async def test_names_stock_that_was_changed_behind_its_back(
        self, served, month, replayed, client
    ):
        await replayed(served.options(month))
        operator = {"Authorization": f"Bearer {served.key}"}
        level = await client.get("/v1/inventory/71053", headers=operator)
        await client.put(
            "/v1/inventory/71053",
            json={"on_hand": level.json()["on_hand"] + 3},
            headers=operator,
        )

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert outcome.differences == (
            "units free to be sold: not those that came back: 71053"
        )

    async def test_names_stock_that_its_ledger_knows_nothing_of(
        self, served, month, replayed, database
    ):
        await replayed(served.options(month))
        await database.fetch("ALTER TABLE stock DISABLE TRIGGER stock_follows_ledger")
        await database.fetch(
            "UPDATE stock SET on_hand = 2, reserved = 1 WHERE variant_id ="
            " (SELECT id FROM variants WHERE sku = '71053')"
        )

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert "ledger and stock differ: 71053" in outcome.differences
        assert "other number: 71053" in outcome.differences

    async def test_names_stock_below_zero(self, served, month, replayed, database):
        await replayed(served.options(month))
        await database.fetch("ALTER TABLE stock DROP CONSTRAINT stock_never_oversold")
        await database.fetch("UPDATE stock SET reserved = on_hand + 1")

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert "oversold: 71053, 85123A, 85123a, BANK CHARGES" in outcome.differences

    async def test_names_a_promise_that_is_lost(
        self, served, month, replayed, database
    ):
        await replayed(served.options(month))
        await database.fetch(
            "UPDATE stock SET reserved = reserved - 1 WHERE variant_id ="
            " (SELECT id FROM variants WHERE sku = '71053')"
        )

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert "other number: 71053" in outcome.differences

    async def test_names_an_order_that_is_lost(
        self, served, month, replayed, readdress
    ):
        await replayed(served.options(month))
        await readdress("invoice-536366@replay.example.com", "a@example.com")

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert "orders paid: not ordered: 536366" in outcome.differences

    async def test_names_an_order_that_was_placed_twice(
        self, served, month, replayed, readdress
    ):
        await replayed(served.options(month))
        await readdress("invoice-536366@", "invoice-536365@")

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert "ordered twice: 536365" in outcome.differences

    async def test_names_an_order_with_other_lines(
        self, served, month, replayed, database
    ):
        await replayed(served.options(month))
        await database.fetch("UPDATE order_lines SET quantity = 7 WHERE quantity = 6")

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert "other lines or another total: 536365 (HF-" in outcome.differences

    async def test_names_an_order_of_an_invoice_that_is_in_no_file(
        self, served, month, replayed, readdress
    ):
        await replayed(served.options(month))
        await readdress("invoice-536366@", "invoice-999999@")

        outcome = await replayed(served.options(month))

        assert "in no file: 999999" in outcome.differences

    async def test_names_a_payment_that_is_still_open(
        self, served, month, replayed, reopen_payment, monkeypatch
    ):
        monkeypatch.setattr(placing, "SETTLE_SECONDS", 1)
        await replayed(served.options(month))
        await reopen_payment("536366")

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert "payment still open: 536366" in outcome.differences
        assert "charged without a paid order: HF-" in outcome.differences

    async def test_waits_for_a_payment_that_is_decided_late(
        self, served, month, replayed, reopen_payment, database
    ):
        await replayed(served.options(month))
        await reopen_payment("536366")

        again = asyncio.create_task(replayed(served.options(month)))
        await asyncio.wait([again], timeout=0.3)
        await database.fetch(
            "UPDATE orders SET status = 'confirmed', payment_status = 'captured',"
            " captured_amount = total_amount, settled_at = placed_at"
            " WHERE status = 'pending'"
        )

        assert (await again).code == 0

    async def test_names_an_order_whose_charge_is_missing(
        self, served, month, replayed, payment_provider
    ):
        await replayed(served.options(month))
        payment_provider.behave()

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert "not charged exactly once and in full: 5363" in outcome.differences

    async def test_names_a_charge_too_many(
        self, served, month, replayed, payment_provider, database
    ):
        await replayed(served.options(month))
        number = await database.fetchval("SELECT min(number) FROM orders")
        async with httpx.AsyncClient(trust_env=False) as provider:
            await provider.post(
                f"{payment_provider.url}/v1/charges",
                headers={"Idempotency-Key": "another"},
                json={
                    "amount": 1,
                    "currency": "GBP",
                    "payment_method": "pm_card_ok",
                    "reference": f"HF-{number}",
                },
            )

        outcome = await replayed(served.options(month))

        assert outcome.code == 1
        assert f"charged without a paid order: HF-{number}" in outcome.differences
