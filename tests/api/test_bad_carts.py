"""Requests for carts that are at fault, and what their clients are told."""

import pytest
from cases import cases

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 Main St",
    "city": "London",
    "postal_code": "N1",
    "country": "GB",
}


class TestCreate:
    @cases(
        ("body", "pointer"),
        [
            ({"colour": "red"}, "/colour"),
            ({"token": "hfc_mine"}, "/token"),
            ({"lines": [{"sku": "TEA", "quantity": 1, "price": 1}]}, "/lines/0/price"),
            (
                {"shipping_address": {**ADDRESS, "planet": 3}},
                "/shipping_address/planet",
            ),
            ({"lines": [{"sku": "TEA"}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": "1"}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": 1.5}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": True}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": None}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": 0}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": -1}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": 10**6 + 1}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": 10**18}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "TEA", "quantity": 10**40}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "", "quantity": 1}]}, "/lines/0/sku"),
            ({"lines": [{"sku": "x" * 256, "quantity": 1}]}, "/lines/0/sku"),
            ({"lines": [{"sku": "T\x00", "quantity": 1}]}, "/lines/0/sku"),
            ({"lines": [7]}, "/lines/0"),
            ({"lines": {"sku": "TEA"}}, "/lines"),
            ({"lines": None}, "/lines"),
            ({"currency": "eur"}, "/currency"),
            ({"currency": "ABC"}, "/currency"),
            ({"email": "nobody"}, "/email"),
            ({"email": "a@b@c"}, "/email"),
            ({"email": "ada@example.com\n"}, "/email"),
            ({"email": 7}, "/email"),
            ({"shipping_method": "catapult"}, "/shipping_method"),
            (
                {"shipping_address": {**ADDRESS, "country": "XX"}},
                "/shipping_address/country",
            ),
            (
                {"shipping_address": {**ADDRESS, "country": "gb"}},
                "/shipping_address/country",
            ),
            (
                {"shipping_address": {**ADDRESS, "name": "\x00"}},
                "/shipping_address/name",
            ),
            ({"shipping_address": {"name": "Ada"}}, "/shipping_address/line1"),
            ([], ""),
            ("cart", ""),
        ],
    )
    async def test_says_where_a_request_is_at_fault(
        self, client, tea, body, pointer, faults
    ):
        answer = await client.post("/v1/carts", json=body)

        assert faults(answer) == [pointer]

    @cases(
        "body",
        [
            b"",
            b"{",
            b'{"email": }',
            b'{"email": "\xff\xfe"}',
            b'{"email": "\xed\xa0\x80"}',
            b'{"email": "\\ud800"}',
            b'{"email": "a\x00"}',
            b"{} {}",
        ],
    )
    async def test_what_cannot_be_read_is_malformed(self, client, body):
        answer = await client.post(
            "/v1/carts", content=body, headers={"Content-Type": "application/json"}
        )

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/malformed-request"

    @pytest.mark.parametrize(
        "body",
        [b'{"lines": ' + b"[" * 100_000, b'{"x": ' * 100_000, b"[" * 100_000],
        ids=["lists", "objects", "top"],
    )
    async def test_deep_nesting_is_refused_where_it_does_not_fit(self, client, body):
        answer = await client.post(
            "/v1/carts", content=body, headers={"Content-Type": "application/json"}
        )

        assert answer.status_code in (400, 422)
        assert answer.json()["type"] in (
            "/problems/malformed-request",
            "/problems/invalid-request",
        )

    async def test_ten_megabytes_are_too_many(self, client):
        answer = await client.post(
            "/v1/carts",
            content=b'{"email": "' + b"x" * (10 << 20) + b'"}',
            headers={"Content-Type": "application/json"},
        )

        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/body-too-large"
