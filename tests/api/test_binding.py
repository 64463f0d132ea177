from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from litestar import Request, Response
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from holdfast.domain.identity import Caller

Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]


async def search(
    q: str, *, limit: Limit = 20, exact: bool = False, after: UUID | None = None
):
    return {"q": q, "limit": limit, "exact": exact, "after": after}


@pytest.fixture
def site(edge, route):
    return edge(route("GET", "/v1/search", search))


class TestQuery:
    async def test_arrives_as_what_the_handler_asks_for(self, site):
        answer = await site.client.get("/v1/search?q=tea+cup&limit=5&exact=true")

        assert answer.json() == {
            "q": "tea cup",
            "limit": 5,
            "exact": True,
            "after": None,
        }

    async def test_has_the_defaults_of_the_handler(self, site):
        assert (await site.client.get("/v1/search?q=")).json()["limit"] == 20

    @pytest.mark.parametrize(
        ("query", "parameter", "detail"),
        [
            ("q=a&limit=0", "limit", "Expected `int` >= 1"),
            ("q=a&limit=101", "limit", "Expected `int` <= 100"),
            ("q=a&limit=ten", "limit", "Expected `int`"),
            ("q=a&limit=1.5", "limit", "Expected `int`"),
            ("q=a&limit=", "limit", "Expected `int`"),
            (
                "q=a&limit=10000000000000000000000",
                "limit",
                "Expected `int` <= 100",
            ),
            ("q=a&after=7", "after", "Invalid UUID"),
            ("limit=1", "q", "Missing parameter `q`"),
            ("", "q", "Missing parameter `q`"),
            ("q=a&lmit=1", "lmit", "Unknown parameter `lmit`"),
            ("q=a&q=b", "q", "Given more than once"),
            ("q=a%00b", "q", "Contains a NUL character"),
        ],
    )
    async def test_that_does_not_fit_is_named(self, site, query, parameter, detail):
        answer = await site.client.get(f"/v1/search?{query}")

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"
        assert answer.json()["errors"] == [{"parameter": parameter, "detail": detail}]

    @pytest.mark.parametrize(
        "query", ["q=%ff", "&".join(f"a{n}=1" for n in range(100))]
    )
    async def test_that_cannot_be_read_is_malformed(self, site, query):
        answer = await site.client.get(f"/v1/search?{query}")

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/malformed-request"

    async def test_is_not_for_a_route_that_takes_none(self, edge, route):
        async def plain():
            return 1

        site = edge(route("GET", "/v1/plain", plain), route("GET", "/livez", plain))

        assert (await site.client.get("/v1/plain?x=1")).status_code == 422
        # Monitors add parameters of their own to what is not the API.
        assert (await site.client.get("/livez?x=1")).status_code == 200

    async def test_may_be_described_in_litestars_words(self, edge, route):
        async def browse(
            size: Annotated[int, QueryParameter(name="page_size", le=9)] = 3,
        ):
            return size

        site = edge(route("GET", "/v1/list", browse))

        assert (await site.client.get("/v1/list?page_size=9")).json() == 9
        assert (await site.client.get("/v1/list?page_size=10")).status_code == 422


class TestHeader:
    @pytest.fixture
    def site(self, edge, route):
        async def keyed(
            key: Annotated[str | None, HeaderParameter(name="Idempotency-Key")] = None,
        ):
            return [key]

        return edge(route("GET", "/v1/keyed", keyed))

    async def test_arrives_whatever_its_case(self, site):
        for name in ("idempotency-key", "Idempotency-Key", "IDEMPOTENCY-KEY"):
            answer = await site.client.get("/v1/keyed", headers={name: "abc"})
            assert answer.json() == ["abc"]

    async def test_has_the_default_of_the_handler(self, site):
        assert (await site.client.get("/v1/keyed")).json() == [None]

    async def test_given_twice_is_refused(self, site):
        twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]

        answer = await site.client.get("/v1/keyed", headers=twice)

        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"parameter": "Idempotency-Key", "detail": "Given more than once"}
        ]


class TestGiven:
    async def test_shop_caller_and_request_are_handed_in(self, edge, route):
        async def show(shop: Any, caller: Caller, request: Request[Any, Any, Any]):
            return [shop.settings.environment, caller.actor, request.headers["x-one"]]

        site = edge(route("GET", "/v1/given", show))

        answer = await site.client.get("/v1/given", headers={"X-One": "1"})

        assert answer.json() == ["test", "anonymous", "1"]


class TestResult:
    async def answer(self, edge, route, handler, method="GET", **policy):
        site = edge(route(method, "/v1/it", handler, **policy))
        return await site.client.request(method, "/v1/it")

    async def test_is_json_in_utf8(self, edge, route):
        async def show():
            return {"name": "Ōolong"}

        answer = await self.answer(edge, route, show)

        assert answer.content == '{"name":"Ōolong"}'.encode()
        assert answer.headers["content-type"] == "application/json"

    async def test_of_nothing_is_no_content(self, edge, route):
        async def nothing():
            return None

        for method in ("GET", "DELETE"):
            answer = await self.answer(edge, route, nothing, method)
            assert (answer.status_code, answer.content) == (204, b"")
            assert "content-length" not in answer.headers

    async def test_has_the_status_of_the_route(self, edge, route):
        async def show():
            return {}

        assert (await self.answer(edge, route, show, "POST")).status_code == 201
        assert (await self.answer(edge, route, show, status=202)).status_code == 202

    async def test_may_say_its_own_status_and_headers(self, edge, route):
        async def show():
            return Response({"a": 1}, status_code=202, headers={"Retry-After": "7"})

        answer = await self.answer(edge, route, show, "POST")

        assert (answer.status_code, answer.json()) == (202, {"a": 1})
        assert answer.headers["retry-after"] == "7"

    async def test_without_a_status_of_its_own_has_that_of_the_route(self, edge, route):
        async def show():
            return Response({"a": 1})

        assert (await self.answer(edge, route, show, "POST")).status_code == 201

    async def test_may_be_bytes_that_are_json_already(self, edge, route):
        async def show():
            return Response(b"[1]", media_type="application/json")

        answer = await self.answer(edge, route, show)

        assert (answer.content, answer.headers["content-type"]) == (
            b"[1]",
            "application/json",
        )

    async def test_may_be_text(self, edge, route):
        async def show():
            return Response("<p>Ō</p>", media_type="text/html")

        answer = await self.answer(edge, route, show)

        assert answer.content == "<p>Ō</p>".encode()
        assert answer.headers["content-type"] == "text/html; charset=utf-8"

    async def test_may_be_a_response_without_content(self, edge, route):
        async def show():
            return Response(None, status_code=202)

        answer = await self.answer(edge, route, show)

        assert (answer.status_code, answer.content) == (202, b"")

    async def test_may_be_a_stream(self, edge, route):
        async def pieces():
            yield b"one "
            yield b"two"

        async def show():
            return Stream(pieces(), media_type="text/plain")

        answer = await self.answer(edge, route, show)

        assert answer.content == b"one two"
