"""Every route says who may call it, what it costs and what can go wrong."""

from holdfast.api import policy
from holdfast.api.routes import ROUTES
from holdfast.domain.identity import SCOPES

# A price of one's own in a line, products that are not for sale yet.
OPENS_MORE_OF_A_ROUTE = {"prices:override", "products:read"}


class TestRoutes:
    def test_leave_nothing_open(self):
        policy.check(ROUTES)

        assert len(ROUTES) > 20

    def test_stand_together_by_resource_in_alphabetical_order(self):
        paths = [route.path for route in ROUTES if route.path.startswith("/v1/")]
        resources = [path.split("/")[2] for path in paths]

        assert resources == sorted(resources)

    def test_every_scope_opens_something(self):
        idle = SCOPES - {route.scope for route in ROUTES} - OPENS_MORE_OF_A_ROUTE

        assert idle == set()

    def test_every_change_needs_credentials_but_the_first(self):
        open_to_all = {
            f"{route.method} {route.path}"
            for route in ROUTES
            if route.public and route.method != "GET"
        }

        assert open_to_all == {"POST /v1/carts"}

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
