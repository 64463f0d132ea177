"""How many turns for a hot SKU one address can have with carts of nobody's name."""

from holdfast.api.routes import ROUTES
from holdfast.domain.inventory.combiner import MAX_REQUESTS, WAITING
from holdfast.platform.rates import DEFAULTS

TURNS = 50
"""At once, and then five a second: as said in docs/explanation/hot-skus.md."""


def cost(method, path):
    (found,) = (n for n in ROUTES if (n.method, n.path) == (method, path))
    return found.cost


class TestTurnsOfAnAddress:
    """A guest's cart takes turns for itself; the quota of changes is their bound."""

    def test_are_few_of_all_that_wait(self):
        guest = DEFAULTS["guest"]
        hold = cost("PUT", "/v1/carts/{cart_id:uuid}/reservation")

        assert guest.burst // hold == TURNS
        assert guest.tokens // hold / guest.period_seconds == 5
        assert TURNS < MAX_REQUESTS / 5
        assert TURNS < WAITING / 20

    def test_are_fewer_if_the_carts_have_to_be_opened_first(self):
        guest = DEFAULTS["guest"]
        cart = cost("POST", "/v1/carts")
        hold = cost("PUT", "/v1/carts/{cart_id:uuid}/reservation")

        assert guest.burst // (cart + hold) == 33

    def test_cost_a_checkout_without_a_hold_as_much(self):
        checkout = cost("POST", "/v1/carts/{cart_id:uuid}/checkout")

        assert checkout == cost("PUT", "/v1/carts/{cart_id:uuid}/reservation")
