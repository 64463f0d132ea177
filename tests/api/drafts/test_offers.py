"""What the buyer of a draft order can do, and what is held for them."""

from datetime import timedelta

import pytest

PATH = "/v1/draft-orders"
ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 Main St",
    "city": "London",
    "country": "GB",
}
PAID = {"external": {"reference": "bank transfer 4711"}}


class TestBuyer:
    async def test_says_who_and_where_and_pays(self, holder, client, clerk, prepare):
        draft = await prepare(email=None, shipping_address=None)
        path = f"/v1/carts/{draft['id']}"
        said = {"email": "ada@example.com", "shipping_address": ADDRESS}

        await client.patch(path, json=said, headers=holder(draft))
        paid = await client.post(
            f"{path}/checkout",
            json={
                "payment_method": "pm_card_ok",
                "expected_total": {"amount": 2100, "currency": "EUR"},
            },
            headers={**holder(draft), "Idempotency-Key": "one"},
        )

        assert paid.status_code == 201
        assert paid.json()["total"] == {"amount": 2100, "currency": "EUR"}
        found = (await client.get(f"{PATH}/{draft['id']}", headers=clerk)).json()
        assert (found["status"], found["order_id"]) == ("ordered", paid.json()["id"])

    async def test_does_not_change_what_is_offered(self, holder, client, prepare):
        draft = await prepare()
        path = f"/v1/carts/{draft['id']}"
        line = f"{path}/lines/{draft['lines'][0]['id']}"

        for answer in (
            await client.post(
                f"{path}/lines",
                json={"sku": "TEA", "quantity": 1},
                headers=holder(draft),
            ),
            await client.patch(line, json={"quantity": 100}, headers=holder(draft)),
            await client.delete(line, headers=holder(draft)),
        ):
            assert answer.status_code == 409
            assert answer.json()["type"] == "/problems/offer-fixed"
        seen = await client.get(path, headers=holder(draft))
        assert seen.json()["kind"] == "draft"
        assert seen.json()["lines"] == draft["lines"]
        assert "note" not in seen.json()

    async def test_a_new_token_replaces_the_old(self, holder, client, clerk, prepare):
        draft = await prepare()

        invited = await client.post(f"{PATH}/{draft['id']}/invitations", headers=clerk)

        assert invited.status_code == 201
        assert invited.json()["cart_id"] == draft["id"]
        path = f"/v1/carts/{draft['id']}"
        old = await client.get(path, headers=holder(draft))
        new = await client.get(path, headers=holder(invited.json()))
        assert (old.status_code, new.status_code) == (404, 200)

    async def test_an_e_mail_needs_a_page_to_lead_to(self, client, clerk, prepare):
        draft = await prepare()

        answer = await client.post(
            f"{PATH}/{draft['id']}/invitations", json={"send": True}, headers=clerk
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/pay-page-missing"

    async def test_does_not_merge_it_into_a_cart(self, client, prepare, signed_in):
        draft, ada = await prepare(), await signed_in()

        answer = await client.post(
            "/v1/me/cart/merge",
            json={"cart_id": draft["id"], "token": draft["token"]},
            headers=ada.headers,
        )

        assert answer.status_code == 404


class TestHold:
    async def test_units_are_held_and_pass_to_the_order(
        self, client, clerk, prepare, complete, level, clock
    ):
        draft = await prepare()
        until = (clock() + timedelta(days=7)).isoformat()

        held = await client.put(
            f"{PATH}/{draft['id']}/hold", json={"until": until}, headers=clerk
        )

        assert (held.status_code, await level()) == (200, 3)
        more = {"lines": [{"sku": "TEA", "quantity": 5}]}
        await client.patch(f"{PATH}/{draft['id']}", json=more, headers=clerk)
        assert await level() == 5
        assert (await complete(draft, PAID)).status_code == 201
        assert await level() == 5

    @pytest.mark.parametrize("how", ["release", "discard"])
    async def test_what_is_not_held_is_free(
        self, client, clerk, prepare, level, clock, how
    ):
        draft = await prepare()
        path = f"{PATH}/{draft['id']}"
        until = (clock() + timedelta(days=7)).isoformat()
        await client.put(f"{path}/hold", json={"until": until}, headers=clerk)

        ended = await client.delete(
            f"{path}/hold" if how == "release" else path, headers=clerk
        )

        assert (ended.status_code, await level()) == (204, 0)

    async def test_what_is_not_there_is_not_held_and_nothing_changes(
        self, client, clerk, prepare, level, clock
    ):
        draft = await prepare()
        path = f"{PATH}/{draft['id']}"
        until = (clock() + timedelta(days=7)).isoformat()
        await client.put(f"{path}/hold", json={"until": until}, headers=clerk)

        answer = await client.patch(
            path, json={"lines": [{"sku": "TEA", "quantity": 11}]}, headers=clerk
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/out-of-stock"
        assert await level() == 3
        found = (await client.get(path, headers=clerk)).json()
        assert (found["lines"], found["version"]) == (draft["lines"], 2)

    @pytest.mark.parametrize(
        "until", ["2026-11-27T08:00:00Z", "2026-12-27T08:00:01Z", "2026-12-01T00:00:00"]
    )
    async def test_a_time_out_of_bounds_is_refused(
        self, client, clerk, prepare, faults, until
    ):
        draft = await prepare()

        answer = await client.put(
            f"{PATH}/{draft['id']}/hold", json={"until": until}, headers=clerk
        )

        assert faults(answer) == ["/until"]
