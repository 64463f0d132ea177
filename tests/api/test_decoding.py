import json
from typing import Annotated

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.api.decoding import Body, pointer
from holdfast.api.problems import InvalidRequest, MalformedRequest


class Line(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    quantity: Annotated[int, msgspec.Meta(ge=1, le=10**6)]


class Order(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[Line]
    labels: dict[str, str] = {}
    note: str | None = None


async def place(data: Order):
    return data


async def maybe(data: Order | None = None):
    return data


@pytest.fixture
def site(edge, route):
    return edge(route("POST", "/v1/orders", place), route("PATCH", "/v1/orders", maybe))


GOOD = {"lines": [{"sku": "TEA-1", "quantity": 2}]}


class TestBody:
    async def test_arrives_as_what_the_handler_asks_for(self, site):
        answer = await site.client.post("/v1/orders", json=GOOD)

        assert answer.json()["lines"] == GOOD["lines"]

    @pytest.mark.parametrize(
        ("body", "place", "detail"),
        [
            ({}, "/lines", "Object missing required field `lines`"),
            ({"lines": [], "x": 1}, "/x", "Object contains unknown field `x`"),
            ({"lines": {}}, "/lines", "Expected `array`, got `object`"),
            ({"lines": [7]}, "/lines/0", "Expected `object`, got `int`"),
            (
                {"lines": [{"sku": "T", "quantity": 0}]},
                "/lines/0/quantity",
                "Expected `int` >= 1",
            ),
            (
                {"lines": [{"sku": "T", "quantity": 10**18}]},
                "/lines/0/quantity",
                "Expected `int` <= 1000000",
            ),
            (
                {"lines": [{"sku": "T", "quantity": 10**40}]},
                "/lines/0/quantity",
                "Expected `int` <= 1000000",
            ),
            (
                {"lines": [{"sku": "T", "quantity": 1.5}]},
                "/lines/0/quantity",
                "Expected `int`, got `float`",
            ),
            (
                {"lines": [{"sku": "T", "quantity": "1"}]},
                "/lines/0/quantity",
                "Expected `int`, got `str`",
            ),
            (
                {"lines": [{"sku": "T", "quantity": True}]},
                "/lines/0/quantity",
                "Expected `int`, got `bool`",
            ),
            (
                {"lines": [*GOOD["lines"], {"sku": "T", "quantity": 1, "a/b~": 1}]},
                "/lines/1/a~1b~0",
                "Object contains unknown field `a/b~`",
            ),
            # Which label it is, msgspec does not say.
            ({"lines": [], "labels": {"a": 1}}, "/labels", "Expected `str`, got `int`"),
            ([], "", "Expected `object`, got `array`"),
            (None, "", "Expected `object`, got `null`"),
            (
                {"lines": [{"sku": "A\x00B", "quantity": 1}]},
                "/lines/0/sku",
                "Contains a NUL character",
            ),
            (
                {"lines": [], "labels": {"a\x00": "x"}},
                "/labels",
                "Contains a NUL character",
            ),
        ],
    )
    async def test_that_does_not_fit_is_named_by_place(self, site, body, place, detail):
        answer = await site.client.post("/v1/orders", content=json.dumps(body))

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"
        assert answer.json()["errors"] == [{"pointer": place, "detail": detail}]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"{]",
            b"{'lines': []}",
            b'{"lines": []} extra',
            b'{"lines": [], "note": "\xff"}',
            b'{"lines": [], "note": "\xc0\x80"}',
            b'{"lines": [], "note": "\xed\xa0\x80"}',
            b'{"lines": [], "note": "\\ud800"}',
            b'{"lines": [], "note": NaN}',
            b'\xef\xbb\xbf{"lines": []}',
            b"\x00",
            '{"lines": []}'.encode("utf-16"),
        ],
    )
    async def test_that_cannot_be_read_is_malformed(self, site, body):
        answer = await site.client.post("/v1/orders", content=body)

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/malformed-request"
        assert answer.json()["detail"].endswith(".")

    @pytest.mark.parametrize("bracket", [b"[", b'{"lines":', b'{"x":'])
    async def test_nested_too_deeply_is_refused_unharmed(self, edge, route, bracket):
        async def anything(data: list[object] | dict[str, object]):
            return None

        site = edge(route("POST", "/v1/any", anything))

        answer = await site.client.post("/v1/any", content=bracket * 100_000)

        assert answer.status_code == 400
        assert answer.json()["detail"] == "The body is nested too deeply."

    async def test_with_an_escaped_backslash_before_u0000_has_no_nul(self, site):
        body = rb'{"lines": [], "note": "\\u0000"}'

        answer = await site.client.post("/v1/orders", content=body)

        assert answer.json()["note"] == r"\u0000"

    async def test_may_be_absent_where_the_handler_says_so(self, site):
        assert (await site.client.patch("/v1/orders")).status_code == 204
        assert (await site.client.patch("/v1/orders", json=GOOD)).json()["note"] is None

    @pytest.mark.parametrize(
        "media_type",
        [
            "application/json",
            "application/json; charset=utf-8",
            'Application/JSON; charset="UTF-8"',
            "application/merge-patch+json",
        ],
    )
    async def test_may_be_called_json_in_several_ways(self, site, media_type):
        answer = await site.client.post(
            "/v1/orders",
            content=msgspec.json.encode(GOOD),
            headers={"Content-Type": media_type},
        )

        assert answer.status_code == 201

    @pytest.mark.parametrize(
        "media_type",
        [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "text/json",
            "application/json; charset=latin-1",
            "",
        ],
    )
    async def test_called_something_else_is_not_read(self, site, media_type):
        answer = await site.client.post(
            "/v1/orders",
            content=msgspec.json.encode(GOOD),
            headers={"Content-Type": media_type},
        )

        assert answer.status_code == 415
        assert answer.json()["type"] == "/problems/unsupported-media-type"

    async def test_over_the_limit_is_too_large(self, site):
        answer = await site.client.post("/v1/orders", content=b"x" * 10_000_000)

        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/body-too-large"
        assert answer.json()["limit_bytes"] == 1 << 20

    async def test_over_the_limit_in_pieces_is_too_large(self, site):
        sent = 0

        async def pieces():
            nonlocal sent
            for _ in range(160):
                sent += 1 << 16
                yield b" " * (1 << 16)

        answer = await site.client.post("/v1/orders", content=pieces())

        assert answer.status_code == 413
        assert sent <= (1 << 20) + (1 << 17)

    @settings(max_examples=300)
    @given(raw=st.binary(max_size=200))
    def test_of_any_bytes_is_read_or_refused(self, raw):
        try:
            read = Body(Order, optional=False).decode(raw)
        except (InvalidRequest, MalformedRequest):
            return
        assert isinstance(read, Order)


class TestPointer:
    @given(steps=st.lists(st.text(alphabet="ab/~0123")))
    def test_can_be_taken_apart_again(self, steps):
        parts = pointer(steps).split("/")[1:]

        assert [p.replace("~1", "/").replace("~0", "~") for p in parts] == steps
