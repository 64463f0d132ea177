"""The carrier, as its callers see it."""

import asyncio

import pytest


class TestRates:
    async def test_offers_standard_and_express(self, carrier):
        response = await carrier.post(
            "/v1/rates", json={"country": "DE", "weight_grams": 600, "currency": "EUR"}
        )

        assert response.status_code == 200
        assert response.json() == {
            "rates": [
                {
                    "service": "standard",
                    "price": {"amount": 490, "currency": "EUR"},
                    "days_min": 2,
                    "days_max": 4,
                    "estimated_days": 4,
                },
                {
                    "service": "express",
                    "price": {"amount": 1480, "currency": "EUR"},
                    "days_min": 1,
                    "days_max": 2,
                    "estimated_days": 2,
                },
            ]
        }

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("country", "de"),
            ("country", "DEU"),
            ("country", "D\n"),
            ("weight_grams", -1),
            ("weight_grams", 10**9 + 1),
            ("weight_grams", 0.5),
            ("currency", "€"),
            ("colour", "red"),
        ],
    )
    async def test_refuses_what_it_cannot_price(self, carrier, field, value):
        body = {"country": "DE", "weight_grams": 1, "currency": "EUR", field: value}

        response = await carrier.post("/v1/rates", json=body)

        assert response.status_code == 422
        assert response.json()["type"] == "/problems/invalid-request"

    async def test_fails_as_the_scenario_says(self, carrier):
        await carrier.put("/control/scenario", json={"fail": "error", "count": 2})
        wanted = {"country": "DE", "weight_grams": 1, "currency": "EUR"}

        answers = [await carrier.post("/v1/rates", json=wanted) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [500, 500, 200]

    async def test_hangs_as_the_scenario_says(self, carrier):
        await carrier.put("/control/scenario", json={"fail": "hang_after"})
        wanted = {"country": "DE", "weight_grams": 1, "currency": "EUR"}

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await carrier.post("/v1/rates", json=wanted)

        assert "given</th><td>1<" in (await carrier.get("/")).text

    async def test_a_reset_forgets_the_quotes(self, carrier):
        wanted = {"country": "DE", "weight_grams": 1, "currency": "EUR"}
        await carrier.post("/v1/rates", json=wanted)

        await carrier.post("/control/reset")

        assert "given</th><td>0<" in (await carrier.get("/")).text
