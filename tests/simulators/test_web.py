"""The plain HTTP that both simulators speak."""

import msgspec
import pytest

from holdfast.simulators.web import MAX_BODY_BYTES, RESET


class TestRoutes:
    async def test_an_unknown_path_is_a_problem(self, payment):
        response = await payment.get("/v1/nothing")

        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json() == {
            "type": "/problems/route-not-found",
            "title": "Route not found",
            "status": 404,
            "detail": "Nothing is at /v1/nothing.",
        }

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("PUT", "/v1/charges", "GET, HEAD, POST"),
            ("DELETE", "/v1/charges/by-key/k", "GET, HEAD"),
            ("PUT", "/v1/charges/by-key/k/cancel", "GET, HEAD, POST"),
            ("GET", "/control/reset", "POST"),
        ],
    )
    async def test_another_method_is_told_which_ones_are_allowed(
        self, payment, method, path, allowed
    ):
        response = await payment.request(method, path)

        assert response.status_code == 405
        assert response.json()["type"] == "/problems/method-not-allowed"
        assert response.headers["allow"] == allowed

    async def test_head_is_answered_where_get_is(self, payment):
        response = await payment.head("/v1/summary")

        assert response.status_code == 200
        assert response.content == b""


class TestBody:
    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"\xff", b'{"country": "\xff"}', b'{"country": "\\ud800"}'],
    )
    async def test_what_is_not_json_is_malformed(self, carrier, body):
        response = await carrier.post("/v1/rates", content=body)

        assert response.status_code == 400
        assert response.json()["type"] == "/problems/malformed-request"

    async def test_a_body_nested_too_deep_is_malformed(self, carrier):
        body = b'{"latency_ms":' + b'{"x":' * 5000 + b"1" + b"}" * 5000 + b"}"

        response = await carrier.put("/control/scenario", content=body)

        assert response.status_code in {400, 422}

    async def test_a_wrong_value_is_pointed_at(self, carrier):
        response = await carrier.put(
            "/control/scenario", json={"latency_ms": {"fixed": -1}}
        )

        assert response.status_code == 422
        assert response.json()["errors"] == [
            {"pointer": "/latency_ms/fixed", "detail": "Expected `int` >= 0"}
        ]

    async def test_a_body_above_64_kib_is_refused_and_the_connection_closed(
        self, carrier
    ):
        response = await carrier.post("/v1/rates", content=b" " * (MAX_BODY_BYTES + 1))

        assert response.status_code == 413
        assert response.json()["type"] == "/problems/body-too-large"
        assert response.headers["connection"] == "close"

    async def test_a_body_of_exactly_64_kib_in_many_pieces_is_read(self, carrier):
        async def pieces():
            body = msgspec.json.encode(
                {"country": "DE", "weight_grams": 1, "currency": "EUR"}
            )
            yield body
            for _ in range(MAX_BODY_BYTES - len(body)):
                yield b" "

        response = await carrier.post("/v1/rates", content=pieces())

        assert response.status_code == 200

    async def test_a_caller_who_leaves_before_the_end_charges_nothing(
        self, payment_app, ledger, an_order
    ):
        part = {
            "type": "http.request",
            "body": msgspec.json.encode(an_order()),
            "more_body": True,
        }
        messages = iter([part, {"type": "http.disconnect"}])
        answers = []

        async def receive():
            return next(messages)

        async def send(message):
            answers.append(message)

        await payment_app(
            {
                "type": "http",
                "method": "POST",
                "path": "/v1/charges",
                "headers": [(b"idempotency-key", b"k")],
            },
            receive,
            send,
        )

        assert len(ledger) == 0
        assert answers[0]["status"] == 400


class TestCallerGone:
    async def test_a_hanging_request_is_let_go_when_the_caller_hangs_up(
        self, payment_app, ledger, an_order
    ):
        body = msgspec.json.encode(an_order(payment_method="pm_timeout_after"))
        messages = iter(
            [
                {"type": "http.request", "body": body},
                {"type": "http.request"},
                {"type": "http.disconnect"},
            ]
        )
        answers = []

        async def receive():
            return next(messages)

        async def send(message):
            answers.append(message)

        await payment_app(
            {
                "type": "http",
                "method": "POST",
                "path": "/v1/charges",
                "headers": [(b"idempotency-key", b"k")],
            },
            receive,
            send,
        )

        assert answers == []
        assert ledger.count("captured") == 1

    async def test_a_reset_uses_the_connection_it_is_given(self, payment_app, an_order):
        body = msgspec.json.encode({"fail": "reset"})
        messages = iter(
            [
                {"type": "http.request", "body": body},
                {"type": "http.request", "body": msgspec.json.encode(an_order())},
                {"type": "http.disconnect"},
            ]
        )
        cuts, answers = [], []

        async def receive():
            return next(messages)

        async def send(message):
            answers.append(message)

        for method, path in (("PUT", "/control/scenario"), ("POST", "/v1/charges")):
            await payment_app(
                {
                    "type": "http",
                    "method": method,
                    "path": path,
                    "headers": [(b"idempotency-key", b"k")],
                    "extensions": {RESET: lambda: cuts.append("cut")},
                },
                receive,
                send,
            )

        assert cuts == ["cut"]
        assert [message["type"] for message in answers] == [
            "http.response.start",
            "http.response.body",
        ]
