"""What a route costs a caller is in proportion to what it costs the shop."""

import pytest

from holdfast.api.policy import Priority
from holdfast.api.routes import ROUTES

WEIGHTS = (0, 1, 2, 5, 10, 20, 50)


def costs(*methods):
    """Of what is counted by caller: all but health and the operators' controls."""
    return {
        (route.method, route.path): route.cost
        for route in ROUTES
        if route.method in methods and route.priority is not Priority.EXEMPT
    }


class TestCost:
    def test_is_one_of_a_few_weights(self):
        odd = {(r.method, r.path): r.cost for r in ROUTES if r.cost not in WEIGHTS}

        assert odd == {}

    def test_of_what_changes_something_is_5_or_more(self):
        cheap = {
            route: cost
            for route, cost in costs("POST", "PUT", "PATCH", "DELETE").items()
            if cost < 5
        }

        assert cheap == {
            # Signed, and sent by servers that repeat what was refused.
            ("POST", "/v1/webhooks/payments"): 0,
            ("POST", "/v1/webhooks/carrier"): 0,
            # Thousands at one address stand in line at once.
            ("POST", "/drops/{drop_id:uuid}"): 2,
            ("POST", "/v1/drops/{drop_id:uuid}/tickets"): 2,
            # They change nothing.
            ("POST", "/oauth/introspect"): 1,
            ("POST", "/oauth/userinfo"): 1,
        }

    def test_of_reading_one_thing_is_1(self):
        dear = {route[1]: cost for route, cost in costs("GET").items() if cost > 2}

        assert dear == {
            "/v1/collections/{collection}/products": 5,
            "/v1/customers": 5,
            "/v1/inventory/{sku}/movements": 5,
            "/v1/orders": 5,
            "/v1/products": 5,
            "/v1/search": 5,
            "/v1/security-events": 5,
            "/v1/stock-movements": 5,
            "/v1/users": 5,
            # All of the catalogue, and up to ten thousand lines of one import.
            "/v1/exports/products": 50,
            "/v1/imports/{import_id:uuid}/errors": 5,
            # Asks the carrier, is drawn, asks another site.
            "/v1/shipments/{shipment_id:uuid}/label.pdf": 5,
            "/v1/shipments/{shipment_id:uuid}/tracking": 5,
            "/v1/orders/{order_id:uuid}/invoice.pdf": 10,
            "/sign-in/with/{provider}": 5,
            "/sign-in/with/{provider}/callback": 10,
        }

    @pytest.mark.parametrize(
        ("method", "path", "cost"),
        [
            ("GET", "/v1/products/{product}", 1),
            ("POST", "/v1/carts", 5),
            ("PUT", "/v1/carts/{cart_id:uuid}/reservation", 10),
            ("POST", "/v1/carts/{cart_id:uuid}/checkout", 10),
            ("POST", "/v1/sessions", 20),
            ("POST", "/v1/me/export", 50),
            ("POST", "/v1/inventory/import", 50),
        ],
    )
    def test_follows_the_table_in_the_documents(self, method, path, cost):
        assert costs(method)[method, path] == cost

    def test_of_what_is_done_in_bulk_is_50(self):
        bulk = {r.path: r.cost for r in ROUTES if r.priority is Priority.BULK}

        assert set(bulk.values()) == {50}
