"""Every route says who may call it, what it costs and what can go wrong."""

from itertools import pairwise

import pytest

from holdfast.api import policy
from holdfast.api.routes import (
    ROUTES,
    accounts,
    carts,
    customers,
    hosted,
    oauth,
    roles,
    shop,
    sign_in,
)
from holdfast.domain.identity import SCOPES

# A price of one's own in a line, products that are not for sale yet.
OPENS_MORE_OF_A_ROUTE = {"prices:override", "products:read"}


class TestRoutes:
    def test_leave_nothing_open(self):
        policy.check(ROUTES)

        assert len(ROUTES) > 20

    @pytest.mark.parametrize(
        "table",
        [accounts, carts, customers, hosted, oauth, roles, shop, sign_in],
        ids=lambda table: table.__name__.rpartition(".")[2],
    )
    def test_stand_together_by_resource_in_alphabetical_order(self, table):
        paths = [route.path for route in table.ROUTES if route.path.startswith("/v1/")]
        resources = [path.split("/")[2] for path in paths]

        assert [(a, b) for a, b in pairwise(resources) if a > b] == []

    def test_every_scope_opens_something(self):
        opening = {scope for route in ROUTES for scope in (route.scope, route.own)}

        assert SCOPES - opening - OPENS_MORE_OF_A_ROUTE == set()

    def test_every_handler_says_what_it_does(self):
        silent = [
            f"{route.method} {route.path}"
            for route in ROUTES
            if route.documented and not (route.handler.__doc__ or "").strip()
        ]

        assert silent == []

    def test_a_route_that_can_miss_says_so(self):
        forgotten = [
            f"{route.method} {route.path}"
            for route in ROUTES
            if route.parameters and route.documented and not route.raises
        ]

        assert forgotten == []
