"""Carts as a client sees them: every good request, and every bad one."""

from typing import ClassVar

import pytest
from cases import cases

from holdfast.kernel.ids import new_id
from holdfast.kernel.money import MAX_AMOUNT, Money

READY = {
    "email": "ada@example.com",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "country": "GB",
    },
    "shipping_method": "standard",
}


class TestCreate:
    async def test_answers_with_the_whole_cart_and_its_token(self, client, tea):
        answer = await client.post(
            "/v1/carts", json={"lines": [{"sku": "TEA", "quantity": 2}], **READY}
        )

        cart = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/v1/carts/{cart['id']}"
        assert cart["token"].startswith("hfc_")
        (line,) = cart["lines"]
        assert line == {
            "id": line["id"],
            "sku": "TEA",
            "variant_id": str(tea),
            "title": "Title of TEA",
            "quantity": 2,
            "unit_price": {"amount": 999, "currency": "EUR"},
            "total": {"amount": 1998, "currency": "EUR"},
            "for_sale": True,
        }
        assert cart["shipping"] == {
            "method": "standard",
            "price": {"amount": 790, "currency": "EUR"},
            "source": "carrier",
        }
        assert cart["total"] == {"amount": 2788, "currency": "EUR"}
        assert cart["created_at"].endswith("Z")

    async def test_a_cart_may_begin_with_nothing(self, client):
        answer = await client.post("/v1/carts", json={})

        cart = answer.json()
        assert answer.status_code == 201
        assert (cart["lines"], cart["currency"], cart["shipping"]) == ([], "EUR", None)
        assert cart["total"] == {"amount": 0, "currency": "EUR"}

    async def test_holds_a_thousand_lines(self, client, tea):
        lines = [{"sku": "TEA", "quantity": 1}] * 1000

        answer = await client.post("/v1/carts", json={"lines": lines})

        assert answer.status_code == 201
        assert len(answer.json()["lines"]) == 1000

    async def test_refuses_a_thousand_and_one(self, client, tea):
        lines = [{"sku": "TEA", "quantity": 1}] * 1001

        answer = await client.post("/v1/carts", json={"lines": lines})

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/cart-too-large"
        assert answer.json()["max_lines"] == 1000

    async def test_names_skus_nobody_sells(self, client, tea):
        answer = await client.post(
            "/v1/carts", json={"lines": [{"sku": "POT", "quantity": 1}]}
        )

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/unknown-sku"
        assert answer.json()["skus"] == ["POT"]

    async def test_names_products_that_are_not_for_sale(self, client, a_product):
        await a_product("OLD", status="archived")

        answer = await client.post(
            "/v1/carts", json={"lines": [{"sku": "OLD", "quantity": 1}]}
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/variant-unavailable"
        assert answer.json()["skus"] == ["OLD"]

    async def test_a_product_of_another_currency_does_not_fit(self, client, tea):
        answer = await client.post(
            "/v1/carts",
            json={"currency": "USD", "lines": [{"sku": "TEA", "quantity": 1}]},
        )

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/currency-mismatch"
        assert answer.json()["priced_in"] == "EUR"

    async def test_a_total_that_overflows_is_refused(self, client, a_product):
        await a_product("GOLD", price=Money(MAX_AMOUNT, "EUR"))

        for lines in (
            [{"sku": "GOLD", "quantity": 1_000_000}],
            [{"sku": "GOLD", "quantity": 1}] * 2,
        ):
            answer = await client.post("/v1/carts", json={"lines": lines})

            assert answer.status_code == 422
            assert answer.json()["type"] == "/problems/total-too-large"


class TestPriceOverride:
    LINE: ClassVar = {
        "sku": "TEA",
        "quantity": 1,
        "unit_price": {"amount": 1, "currency": "EUR"},
    }

    async def test_is_for_keys_with_the_scope(self, client, tea, an_operator):
        may = await an_operator("prices:override", "carts:write")

        answer = await client.post(
            "/v1/carts", json={"lines": [self.LINE]}, headers=may
        )

        assert answer.status_code == 201
        assert answer.json()["total"]["amount"] == 1

    async def test_is_for_nobody_else(self, client, opened, an_operator):
        cart, owner = await opened()
        may_not = await an_operator("carts:write")
        path = f"/v1/carts/{cart['id']}/lines"

        answers = [
            await client.post("/v1/carts", json={"lines": [self.LINE]}),
            await client.post(
                "/v1/carts", json={"lines": [self.LINE]}, headers=may_not
            ),
            await client.post(path, json=self.LINE, headers=owner),
            await client.post(path, json=self.LINE, headers=may_not),
        ]

        assert [answer.status_code for answer in answers] == [403] * 4
        assert {answer.json()["scope"] for answer in answers} == {"prices:override"}

    @cases(
        "price",
        [
            {"amount": -1, "currency": "EUR"},
            {"amount": MAX_AMOUNT + 1, "currency": "EUR"},
            {"amount": 1.5, "currency": "EUR"},
            {"amount": 1, "currency": "EURO"},
            {"amount": 1},
            1,
        ],
    )
    async def test_has_the_bounds_of_an_amount(
        self, client, tea, an_operator, price, faults
    ):
        may = await an_operator("prices:override")
        line = {"sku": "TEA", "quantity": 1, "unit_price": price}

        answer = await client.post("/v1/carts", json={"lines": [line]}, headers=may)

        assert faults(answer)[0].startswith("/lines/0/unit_price")


class TestAccess:
    """A cart is there for its owner and for operators, and for nobody else."""

    @pytest.fixture
    async def requests(self, opened):
        """Every request that needs a cart of one's own."""
        cart, _ = await opened()
        path = f"/v1/carts/{cart['id']}"
        line = f"{path}/lines/{cart['lines'][0]['id']}"
        return [
            ("GET", path, None),
            ("PATCH", path, {"email": None}),
            ("POST", f"{path}/lines", {"sku": "TEA", "quantity": 1}),
            ("PATCH", line, {"quantity": 2}),
            ("DELETE", line, None),
        ]

    async def test_without_a_token_credentials_are_asked_for(self, client, requests):
        for method, path, body in requests:
            answer = await client.request(method, path, json=body)

            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["type"] == "/problems/credentials-missing"

    async def test_with_the_token_of_another_cart_it_is_not_there(
        self, client, requests, opened
    ):
        _, stranger = await opened()
        for method, path, body in requests:
            answer = await client.request(method, path, json=body, headers=stranger)

            assert answer.status_code == 404
            assert answer.json()["type"] == "/problems/cart-not-found"

    async def test_a_cart_that_never_was_looks_the_same(self, client, opened):
        _, owner = await opened()

        answer = await client.get(f"/v1/carts/{new_id()}", headers=owner)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/cart-not-found"

    async def test_a_key_without_the_scope_is_told_which(
        self, client, requests, an_operator
    ):
        reader = await an_operator("orders:read")
        for method, path, body in requests:
            answer = await client.request(method, path, json=body, headers=reader)

            assert answer.status_code == 403
            assert answer.json()["scope"] == "carts:write"

    async def test_an_operator_may_do_all_of_it(self, client, requests, an_operator):
        operator = await an_operator("carts:write")
        for method, path, body in requests:
            answer = await client.request(method, path, json=body, headers=operator)

            assert answer.is_success

    @cases(
        "path",
        ["/v1/carts/1", "/v1/carts/../keys", "/v1/carts/%2e%2e/x", "/v1/carts/a%00b"],
    )
    async def test_an_id_that_is_none_leads_nowhere(self, client, path):
        answer = await client.get(path)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/route-not-found"


class TestShow:
    async def test_does_not_tell_the_token_again(self, client, opened):
        cart, owner = await opened(**READY)

        answer = await client.get(f"/v1/carts/{cart['id']}", headers=owner)

        assert answer.json() == {k: v for k, v in cart.items() if k != "token"}
        assert answer.headers["cache-control"] == "no-store"


class TestChange:
    async def test_null_clears_and_what_is_absent_stays(self, client, opened):
        cart, owner = await opened(**READY)
        path = f"/v1/carts/{cart['id']}"

        cleared = await client.patch(path, json={"email": None}, headers=owner)
        kept = await client.patch(path, json={}, headers=owner)

        assert cleared.status_code == kept.status_code == 200
        assert kept.json()["email"] is None
        assert kept.json()["shipping_address"] == cart["shipping_address"]
        assert kept.json()["shipping"] == cart["shipping"]

    async def test_a_field_at_fault_changes_nothing(self, client, opened, faults):
        cart, owner = await opened(**READY)
        path = f"/v1/carts/{cart['id']}"

        answer = await client.patch(
            path, json={"shipping_method": "express", "email": "x"}, headers=owner
        )

        assert faults(answer) == ["/email"]
        found = await client.get(path, headers=owner)
        assert found.json()["shipping"]["method"] == "standard"

    @cases("field", ["currency", "lines", "status", "token", "id"])
    async def test_what_is_fixed_cannot_be_changed(self, client, opened, field, faults):
        cart, owner = await opened()

        answer = await client.patch(
            f"/v1/carts/{cart['id']}", json={field: "x"}, headers=owner
        )

        assert faults(answer) == [f"/{field}"]


class TestLines:
    async def test_an_added_line_says_where_it_is(self, client, opened):
        cart, owner = await opened()

        answer = await client.post(
            f"/v1/carts/{cart['id']}/lines",
            json={"sku": "TEA", "quantity": 2},
            headers=owner,
        )

        assert answer.status_code == 201
        added = answer.json()["lines"][1]
        assert answer.headers["location"].endswith(f"/lines/{added['id']}")
        assert "token" not in answer.json()

    async def test_a_line_can_be_changed_and_taken_out(self, client, opened):
        cart, owner = await opened()
        path = f"/v1/carts/{cart['id']}/lines/{cart['lines'][0]['id']}"

        changed = await client.patch(path, json={"quantity": 7}, headers=owner)
        removed = await client.delete(path, headers=owner)
        again = await client.delete(path, headers=owner)

        assert changed.json()["lines"][0]["quantity"] == 7
        assert removed.json()["lines"] == []
        assert again.status_code == 404
        assert again.json()["type"] == "/problems/cart-line-not-found"

    @cases("quantity", [0, -1, 10**18, "2", None])
    async def test_a_quantity_out_of_bounds_is_refused(
        self, client, opened, quantity, faults
    ):
        cart, owner = await opened()
        path = f"/v1/carts/{cart['id']}/lines/{cart['lines'][0]['id']}"

        answer = await client.patch(path, json={"quantity": quantity}, headers=owner)

        assert faults(answer) == ["/quantity"]

    async def test_no_line_beyond_the_thousandth(self, client, opened, tea):
        lines = [{"sku": "TEA", "quantity": 1}] * 1000
        cart, owner = await opened(lines=lines)

        answer = await client.post(
            f"/v1/carts/{cart['id']}/lines", json=lines[0], headers=owner
        )

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/cart-too-large"
