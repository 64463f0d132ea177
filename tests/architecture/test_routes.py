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
from holdfast.domain.identity import PERSONAL_SCOPES, SCOPES

# Told by machines that repeat themselves, paid by a buyer, or against an attacker.
PAYS = {
    "DELETE /v1/api-keys/{key_id:uuid}",
    "DELETE /v1/clients/{client_id}",
    "DELETE /v1/users/{account_id:uuid}/sessions",
    "POST /oauth/token",
    "POST /v1/carts/{cart_id:uuid}/checkout",
    "POST /v1/draft-orders/{draft_id:uuid}/completion",
    "POST /v1/webhooks/carrier",
    "POST /v1/webhooks/payments",
}
# An operator ends what has brought everybody here.
ENDS = {"PATCH /v1/drops/{drop_id:uuid}", "DELETE /v1/drops/{drop_id:uuid}"}
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

    def test_only_health_and_protection_are_never_shed(self):
        exempt = {
            f"{r.method} {r.path}"
            for r in ROUTES
            if r.priority is policy.Priority.EXEMPT
            and not r.path.startswith("/v1/protection")
        }

        assert exempt - ENDS == {"GET /livez", "GET /readyz", "GET /metrics"}

    def test_every_control_of_the_protection_is_never_shed(self):
        controls = [r for r in ROUTES if r.path.startswith("/v1/protection")]

        assert {r.priority for r in controls} <= {policy.Priority.EXEMPT}

    def test_what_is_shed_last_is_told_by_name(self):
        pays = {
            f"{route.method} {route.path}"
            for route in ROUTES
            if route.priority is policy.Priority.PAY
        }

        assert pays == PAYS

    def test_nobody_waits_for_what_is_shed_first(self):
        bulk = {
            route.path for route in ROUTES if route.priority is policy.Priority.BULK
        }

        assert all(path.endswith(("/export", "/import")) for path in bulk)

    def test_what_operators_do_does_not_stand_above_what_buyers_do(self):
        """A route no buyer may call waits behind them, but for the exceptions."""
        staff = [
            route
            for route in ROUTES
            if route.scope is not None
            and route.scope not in PERSONAL_SCOPES
            and not route.own
            and not route.guest
        ]
        above = {r.path for r in staff if r.priority < policy.Priority.OPERATE}
        above = {path for path in above if not path.startswith("/v1/protection")}
        named = {path.partition(" ")[2] for path in PAYS | ENDS}

        assert above - named == {"/v1/draft-orders/{draft_id:uuid}/hold"}
