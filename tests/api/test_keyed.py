"""Idempotency keys as clients send them."""

import asyncio

from cases import cases

OK = {"payment_method": "pm_card_ok"}


class TestKeys:
    async def test_a_checkout_without_a_key_is_refused(self, a_bag, client):
        bag = await a_bag(TEA=1)

        answer = await client.post(f"{bag.path}/checkout", json=OK, headers=bag.owner)

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/idempotency-key-missing"

    @cases("key", ["", " ", '""', "x" * 256, "two words", "k\xe9y", '"a b"', "a\tb"])
    async def test_a_key_has_a_form(self, a_bag, key):
        bag = await a_bag(TEA=1)

        answer = await bag.check_out(key.encode("latin-1"))

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/idempotency-key-malformed"

    async def test_two_keys_are_not_guessed_between(self, a_bag, client):
        bag = await a_bag(TEA=1)

        answer = await client.post(
            f"{bag.path}/checkout",
            json=OK,
            headers=[
                *bag.owner.items(),
                ("Idempotency-Key", "a"),
                ("Idempotency-Key", "b"),
            ],
        )

        assert answer.status_code == 422

    async def test_quotes_and_escapes_are_not_part_of_it(self, a_bag):
        bag = await a_bag(TEA=1)

        first = await bag.check_out(r'"a\"b\\"')
        second = await bag.check_out('a"b\\')

        assert second.content == first.content

    async def test_reused_for_another_body_or_cart_it_is_refused(
        self, a_bag, an_operator
    ):
        bag, other = await a_bag(TEA=1), await a_bag(TEA=1)
        operator = await an_operator("orders:write")
        await bag.check_out(**operator)

        answers = [
            await bag.check_out(body={"payment_method": "pm_x"}, **operator),
            await other.check_out(**operator),
        ]

        for answer in answers:
            assert answer.status_code == 422
            assert answer.json()["type"] == "/problems/idempotency-key-reused"

    async def test_of_another_caller_is_another_key(self, a_bag):
        bag, other = await a_bag(TEA=1), await a_bag(TEA=1)

        one, two = await bag.check_out("same"), await other.check_out("same")

        assert one.status_code == two.status_code == 201
        assert one.json()["id"] != two.json()["id"]

    async def test_whose_request_is_still_running_is_asked_back_later(
        self, a_bag, shop, monkeypatch
    ):
        monkeypatch.setattr("holdfast.platform.idempotency._PATIENCE_SECONDS", 0.05)
        bag = await a_bag(TEA=1)
        begun, go_on = asyncio.Event(), asyncio.Event()
        real = shop.payments.charge

        async def charge(**wanted):
            begun.set()
            await go_on.wait()
            return await real(**wanted)

        monkeypatch.setattr(shop.payments, "charge", charge)
        first = asyncio.create_task(bag.check_out())
        await begun.wait()

        second = await bag.check_out()

        go_on.set()
        assert (await first).status_code == 201
        assert second.status_code == 409
        assert second.json()["type"] == "/problems/idempotency-key-in-progress"
        assert second.headers["retry-after"] == "1"
