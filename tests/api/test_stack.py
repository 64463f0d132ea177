from functools import partial

import pytest

from holdfast.api.policy import BadRoutes
from holdfast.api.routes import ROUTES
from holdfast.api.stack import layers
from holdfast.kernel import tokens


async def nothing():
    return {}


class TestLayers:
    def test_are_these_in_this_order(self, edge):
        shop = edge().shop

        names = [layer.func.__name__ for layer in layers(ROUTES, shop)]

        assert names == [
            "Telemetry",
            "ClientAddress",
            "Rejection",
            "AddressLimit",
            "Match",
            "RequestDeadline",
            "Threshold",
            "BodyLimit",
            "Authenticate",
            "CallerLimit",
            "LoadShed",
        ]
        assert all(isinstance(layer, partial) for layer in layers(ROUTES, shop))


class TestAssemble:
    def test_refuses_to_start_with_a_route_that_leaves_something_open(
        self, edge, route
    ):
        with pytest.raises(BadRoutes, match="either public=True or scope"):
            edge(route("GET", "/v1/things", nothing, public=False))


class TestFlood:
    async def test_without_credentials_never_reaches_the_database(self, edge):
        site = edge(*ROUTES)
        protected = [route for route in ROUTES if route.scope is not None]

        for one in protected:
            path = one.path.replace(":uuid", "").format(
                **dict.fromkeys(one.parameters, "0192f3c4-0000-7000-8000-000000000000")
            )
            answer = await site.client.request(one.method, path, json={})
            assert answer.status_code == 401, one

        assert len(protected) > 10
        assert site.database.asked == 0

    async def test_with_made_up_credentials_never_reaches_the_database(
        self, edge, route
    ):
        site = edge(route("GET", "/v1/things", nothing, scope="orders:read"))

        words = ("hfk_", "hfk_" + "A" * 49, "hfc_" + "A" * 49, "x", "", "a b")
        for made_up in (*words, "a.b.c", f"{'e30' * 9}.{'e30' * 9}.{'A' * 86}"):
            answer = await site.client.get(
                "/v1/things", headers={"Authorization": f"Bearer {made_up}"}
            )
            assert answer.status_code == 401

        assert site.database.asked == 0

    async def test_with_one_unknown_key_asks_the_database_once(self, edge, route):
        site = edge(route("GET", "/v1/things", nothing, scope="orders:read"))
        token = tokens.mint(tokens.API_KEY, b"0" * 32)

        for _ in range(50):
            answer = await site.client.get(
                "/v1/things", headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.status_code == 401

        assert site.database.asked == 1
