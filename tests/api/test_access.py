import asyncio
from datetime import UTC, datetime

import pytest
from litestar.response import Stream

from holdfast.kernel import tokens


async def show(name, q: str = ""):
    return {"name": name}


async def fail():
    raise ValueError("broken")


async def take(data: dict[str, int]):
    return data


@pytest.fixture
def site(edge, route):
    return edge(
        route("GET", "/v1/tea/{name}", show),
        route("GET", "/v1/broken", fail),
        route("GET", "/v1/mine", fail, scope="orders:read"),
        route("POST", "/v1/tea", take),
    )


class TestRequestId:
    async def test_of_the_client_comes_back(self, site):
        answer = await site.client.get("/v1/tea/x", headers={"X-Request-Id": "abc-1"})

        assert answer.headers["x-request-id"] == "abc-1"
        assert site.logged[0]["request_id"] == "abc-1"

    async def test_is_made_where_the_client_sends_none(self, site):
        one, two = [await site.client.get("/v1/tea/x") for _ in range(2)]

        assert len(one.headers["x-request-id"]) == 36
        assert one.headers["x-request-id"] != two.headers["x-request-id"]

    @pytest.mark.parametrize("odd", ["", "a b", "é", "x" * 129, 'a"\t', "\x7f"])
    async def test_that_is_odd_is_replaced(self, site, odd):
        answer = await site.client.get(
            "/v1/tea/x", headers={"X-Request-Id": odd.encode("latin-1")}
        )

        assert len(answer.headers["x-request-id"]) == 36

    async def test_is_in_every_problem(self, site):
        for path in ("/nowhere", "/v1/broken", "/v1/mine"):
            answer = await site.client.get(path, headers={"X-Request-Id": "p1"})
            assert answer.headers["x-request-id"] == "p1"
            assert answer.json()["instance"] == "/requests/p1"


class TestHeaders:
    async def test_forbid_guessing_and_keeping(self, site):
        for path in ("/v1/tea/x", "/nowhere"):
            headers = (await site.client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"


class TestLine:
    async def test_says_who_asked_what_and_what_became_of_it(self, site):
        await site.client.get("/v1/tea/x?q=private", headers={"X-Request-Id": "l1"})

        (line,) = site.logged
        assert datetime.fromisoformat(line.pop("at")).tzinfo == UTC
        assert 0 <= line.pop("ms") < 1000
        assert line == {
            "level": "info",
            "event": "request",
            "request_id": "l1",
            "method": "GET",
            "path": "/v1/tea/x",
            "route": "/v1/tea/{name}",
            "status": 200,
            "bytes": 12,
            "client": "127.0.0.1",
            "caller": "anonymous",
        }

    async def test_is_written_for_refusals_and_failures(self, site):
        for path in ("/nowhere", "/v1/mine", "/v1/broken"):
            await site.client.get(path)

        assert [(x["status"], x["level"], x["route"]) for x in site.logged] == [
            (404, "info", None),
            (401, "info", "/v1/mine"),
            (500, "error", "/v1/broken"),
        ]

    async def test_names_a_guest_without_the_token(self, site):
        token = tokens.mint(tokens.CART, b"7" * 32)

        await site.client.get("/v1/tea/x", headers={"Authorization": f"Bearer {token}"})

        assert site.logged[0]["caller"].startswith("guest:")
        assert token not in str(site.logged)

    async def test_cannot_be_forged_by_a_path(self, site):
        await site.client.get("/v1/tea/x%22,%22status%22:200%0A")

        assert len(site.logged) == 1
        assert site.logged[0]["status"] == 404

    async def test_says_499_when_the_client_left_before_its_body(self, site, log):
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/tea",
            "query_string": b"",
            "headers": [(b"content-length", b"9")],
        }

        async def leave():
            return {"type": "http.disconnect"}

        async def nobody(message):
            return None

        await site.app(scope, leave, nobody)

        assert [(x["status"], x["level"]) for x in site.logged] == [(499, "info")]
        assert log() == []

    async def test_says_499_when_the_work_was_cancelled(self, edge, route):
        started = asyncio.Event()

        async def hang():
            started.set()
            await asyncio.Event().wait()

        site = edge(route("GET", "/v1/slow", hang))
        asking = asyncio.create_task(site.client.get("/v1/slow"))
        await started.wait()
        asking.cancel()
        await asyncio.wait({asking})

        assert [x["status"] for x in site.logged] == [499]


class TestMetrics:
    async def test_count_requests_by_template_and_status(self, site):
        for path in ("/v1/tea/a", "/v1/tea/b", "/v1/broken", "/nowhere", "/else"):
            await site.client.get(path)

        text = site.shop.metrics.expose().decode()
        name = "holdfast_http_requests_total"
        assert (
            f'{name}{{method="GET",route="/v1/tea/{{name}}",status="200"}} 2.0' in text
        )
        assert f'{name}{{method="GET",route="/v1/broken",status="500"}} 1.0' in text
        assert f'{name}{{method="*",route="unmatched",status="404"}} 2.0' in text

    async def test_know_how_many_are_under_way(self, site):
        await site.client.get("/v1/tea/a")
        await site.client.get("/v1/broken")

        assert (
            "holdfast_http_requests_in_progress 0.0"
            in site.shop.metrics.expose().decode()
        )

    async def test_do_not_grow_with_what_clients_make_up(self, site):
        for n in range(50):
            await site.client.request(f"M{n}", f"/{n}")
            await site.client.request(f"M{n}", "/v1/tea")

        text = site.shop.metrics.expose().decode()
        assert text.count("holdfast_http_requests_total{") == 2


class TestFailure:
    async def test_in_mid_answer_is_noted_and_left_to_the_server(
        self, edge, route, log
    ):
        async def pieces():
            yield b"half"
            raise ValueError("broken pipe")

        async def stream():
            return Stream(pieces())

        site = edge(route("GET", "/v1/stream", stream))
        sent = []

        async def receive():
            await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/v1/stream",
            "query_string": b"",
            "headers": [],
            "extensions": {},
        }
        with pytest.raises(ExceptionGroup):
            await site.app(scope, receive, send)

        assert sent[0]["status"] == 200
        assert [line["route"] for line in site.logged] == ["/v1/stream"]

    async def test_leaves_what_is_not_http_alone(self, edge):
        site = edge()

        with pytest.raises(KeyError):
            # There is no layer for it: nothing is counted, nothing is logged.
            await site.app({"type": "websocket"}, None, None)

        assert site.logged == []
