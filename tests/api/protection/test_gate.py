"""A flood is refused at the gate by the rules of inside, and no trick gains by it."""

import pytest
from loading import Loaded

from holdfast.api.match import Router
from holdfast.api.policy import Priority
from holdfast.api.protection.gate import Gate, Refused
from holdfast.api.routes import ROUTES
from holdfast.resilience.load import level_of

ADDRESS = "203.0.113.7"
CART = "0192f3c4-0000-7000-8000-000000000000"
BROWSE, OPERATE = level_of(Priority.BROWSE, 0), level_of(Priority.OPERATE, 0)


class Door:
    """A gate and the load behind it."""

    def __init__(self, loaded):
        self.loaded = loaded
        self.load = loaded.load
        self.gate = Gate(loaded.load, Router(ROUTES), timer=lambda: loaded.now)

    def ask(self, method, target, *headers):
        return self.gate.judge(method, target, headers, ADDRESS)

    def shuts(self, method, target, *headers):
        return isinstance(self.ask(method, target, *headers), Refused)

    def fill(self, line):
        """Let so many wait for the loop."""
        self.load.guard.arrivals.unstarted = line


@pytest.fixture
def door():
    return Door(Loaded())


@pytest.fixture
def flood(door):
    """The highest level, and nobody below checkout is served."""
    door.loaded.force(4)
    return door


class TestAtEase:
    def test_judges_nobody(self, door):
        door.load.shedder.hold(0)

        assert door.ask(b"POST", b"/v1/me/export") is None
        assert door.load.metrics.offered == [0] * 5

    def test_judges_nobody_of_a_process_that_is_only_busy(self, flood):
        """At the highest level, but nobody has to be turned away."""
        flood.load.shedder.hold(None)

        assert flood.ask(b"POST", b"/v1/me/export") is None
        assert flood.load.metrics.offered == [0] * 5

    def test_judges_everybody_once_many_are_turned_away(self, door):
        """At any level: those who compute are late before they are pressed."""
        door.load.shedder.hold(BROWSE)
        door.load.shedder.controller.i = 0.28

        assert door.ask(b"GET", b"/v1/products") is None

        door.load.shedder.controller.i = 0.3

        assert door.shuts(b"GET", b"/v1/products")


class TestFlood:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            (b"GET", b"/v1/products"),
            (b"GET", b"/v1/products?q=tea"),
            (b"HEAD", b"/v1/products/tea"),
            (b"GET", b"/v1/orders"),
            (b"POST", b"/v1/me/export"),
        ],
    )
    def test_is_refused(self, flood, method, path):
        assert flood.shuts(method, path)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            (b"POST", f"/v1/carts/{CART}/checkout".encode()),
            (b"PUT", f"/v1/carts/{CART}/reservation".encode()),
            (b"POST", b"/v1/webhooks/payments"),
            (b"POST", b"/v1/sessions"),
            (b"POST", b"/oauth/token"),
            (b"GET", b"/livez"),
            (b"HEAD", b"/livez"),
            (b"GET", b"/readyz"),
            (b"GET", b"/metrics"),
            (b"GET", b"/v1/protection"),
            (b"PUT", b"/v1/protection/load-level"),
            (b"DELETE", b"/v1/protection/load-level"),
            (b"PUT", b"/v1/protection/limits/read"),
        ],
    )
    def test_does_not_stop_who_pays_nor_health_nor_operators(self, flood, method, path):
        assert not flood.shuts(method, path)

    def test_hands_on_the_level_of_who_passes(self, flood):
        level = flood.ask(b"POST", b"/v1/sessions")

        assert level // 128 == Priority.BUY
        assert level == flood.load.cohorts.level(Priority.BUY, [], ADDRESS)

    def test_judges_by_credentials_and_else_by_address(self, flood):
        who = (b"authorization", b"Bearer hfc_" + b"A" * 49)

        level = flood.ask(b"POST", b"/v1/sessions", who)

        assert level == flood.load.cohorts.level(Priority.BUY, [who], "another")

    def test_is_counted_and_logged_now_and_then(self, flood):
        refused = [flood.ask(b"GET", b"/v1/products") for _ in range(200)]

        assert sum(one.is_logged for one in refused) == 2
        labels = {"tier": "browse", "stage": "protocol", "reason": "threshold"}
        assert flood.loaded.counted("shed_requests_total", **labels) == 200

    def test_names_the_route_and_never_the_path(self, flood):
        known = flood.ask(b"GET", b"/v1/products/tea-assam")
        unknown = flood.ask(b"GET", b"/wp-login.php")

        assert (known.method, known.route) == ("GET", "/v1/products/{product}")
        assert (unknown.method, unknown.route) == ("*", "unmatched")

    def test_keeps_connections_of_those_who_matter_only(self, door):
        door.loaded.force(4)
        door.load.shedder.hold(0)

        kept = {
            path: door.ask(method, path).is_kept
            for method, path in (
                (b"POST", b"/oauth/token"),
                (b"POST", b"/v1/sessions"),
                (b"GET", b"/v1/products"),
                (b"GET", b"/v1/orders"),
                (b"POST", b"/v1/me/export"),
            )
        }
        assert list(kept.values()) == [True, True, True, False, False]


class TestTricks:
    """What tries to look like more than it is gains nothing by it."""

    @pytest.mark.parametrize(
        "path",
        [
            b"/v1/prod%75cts",
            b"/v1/products/..%2f..%2flivez",
            b"/v1/products/%2e%2e/%2e%2e/livez",
            b"/livez/../v1/products",
            b"//livez",
            b"/livez/",
            b"/livez%00",
            b"/LIVEZ",
            b"/livez;/v1/products",
            b"/v1/protection/../products",
            b"/v1//protection",
            b"http://shop.test/livez",
            b"/livez#/v1/products",
            b"/v1/carts/x/checkout",
            b"/v1/carts/%2fcheckout",
            b"/v1/products?path=/livez",
            b"/v1/products?%2flivez",
            b"*",
            b"",
            b"/\xff\xfe",
        ],
    )
    def test_with_paths_are_judged_as_they_would_be_served(self, flood, path):
        assert flood.shuts(b"GET", path)

    @pytest.mark.parametrize("path", [b"/live%7A", b"/%6civez", b"/livez?x=/v1"])
    def test_are_none_where_it_is_the_same_thing(self, flood, path):
        assert not flood.shuts(b"GET", path)

    @pytest.mark.parametrize("method", [b"FETCH", b"PATCH", b"get", b"\xff", b"TRACE"])
    def test_with_methods_are_judged_as_the_lowest(self, flood, method):
        assert flood.shuts(method, f"/v1/carts/{CART}/checkout".encode())

    @pytest.mark.parametrize(
        ("path", "shuts"),
        [
            (f"/v1/carts/{CART}/checkout".encode(), False),
            (b"/v1/products", True),
            (b"/nowhere", True),
        ],
    )
    def test_of_browsers_ask_for_what_comes_next(self, flood, path, shuts):
        assert flood.shuts(b"OPTIONS", path) is shuts


class TestRoom:
    @pytest.mark.parametrize(
        ("method", "path", "longest"),
        [
            (b"POST", b"/oauth/token", 500),
            (b"POST", b"/v1/sessions", 250),
            (b"GET", b"/v1/products", 125),
            (b"GET", b"/v1/orders", 62),
            (b"POST", b"/v1/me/export", 31),
        ],
    )
    def test_is_for_so_long_a_line(self, door, method, path, longest):
        door.fill(longest - 1)
        assert not door.shuts(method, path)
        door.fill(longest)
        assert door.shuts(method, path)

    def test_is_always_there_for_health(self, door):
        door.fill(10**6)

        assert not door.shuts(b"GET", b"/livez")

    def test_that_is_none_is_told_as_such(self, door):
        door.fill(10**6)
        door.ask(b"GET", b"/v1/products")

        labels = {"tier": "browse", "stage": "protocol", "reason": "full"}
        assert door.loaded.counted("shed_requests_total", **labels) == 1

    def test_that_is_none_in_a_flood_refuses_whom_the_threshold_admits(self, flood):
        flood.fill(10**6)

        assert flood.shuts(b"POST", b"/oauth/token")

    @pytest.mark.parametrize("mode", ["off", "shadow"])
    def test_that_is_none_is_only_noted_if_operators_say_so(self, door, mode):
        door.load._said({"shedding": mode})
        door.fill(10**6)

        assert not door.shuts(b"GET", b"/v1/products")
        labels = {"tier": "browse", "stage": "protocol", "reason": "shadow"}
        counted = door.loaded.counted("shed_requests_total", **labels)
        assert counted == (mode == "shadow")

    def test_is_not_asked_about_without_protection(self):
        door = Door(Loaded(HOLDFAST_PROTECTION="off"))
        door.fill(10**6)

        assert not door.shuts(b"GET", b"/v1/products")


class TestSpent:
    def test_is_what_refusals_have_cost_since_the_last_time(self, flood):
        for _ in range(1000):
            flood.ask(b"GET", b"/v1/products")

        assert flood.gate.spent() == pytest.approx(0.04)
        assert flood.gate.spent() == 0
