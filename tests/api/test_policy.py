import pytest

from holdfast.api.policy import BadRoutes, Priority, Route, check


async def handler(thing_id=None):
    return None


def route(method="GET", path="/v1/things", **policy):
    return Route(
        method, path, handler, **{"cost": 1, "priority": Priority.BUY, **policy}
    )


class TestRoute:
    def test_cannot_be_written_without_a_cost_and_a_priority(self):
        with pytest.raises(TypeError, match="cost"):
            Route("GET", "/v1/things", handler, public=True)

    @pytest.mark.parametrize(
        ("method", "status"),
        [("GET", 200), ("POST", 201), ("PATCH", 200), ("DELETE", 204)],
    )
    def test_answers_success_as_its_method_does(self, method, status):
        assert route(method, public=True).success_status == status

    def test_may_answer_success_otherwise(self):
        assert route("POST", public=True, status=202).success_status == 202

    @pytest.mark.parametrize(
        ("kind", "method", "policy"),
        [
            ("read", "GET", {}),
            ("write", "POST", {}),
            ("write", "DELETE", {"priority": Priority.PAY}),
            ("report", "GET", {"priority": Priority.BULK}),
            ("report", "POST", {"priority": Priority.BULK}),
            ("checkout", "POST", {"of_kind": "checkout"}),
            ("write", "POST", {"priority": Priority.BULK, "of_kind": "write"}),
        ],
    )
    def test_is_limited_with_its_like(self, kind, method, policy):
        assert route(method, public=True, **policy).kind == kind

    def test_knows_its_parameters(self):
        parameters = route(path="/v1/a/{one:uuid}/{two:str}/{three}").parameters

        assert parameters == {"one": "uuid", "two": "str", "three": "str"}


class TestCheck:
    @pytest.mark.parametrize(
        ("gap", "policy"),
        [
            ("not one of", {"method": "FETCH", "public": True}),
            ("does not start with /", {"path": "v1", "public": True}),
            ("either public=True or scope", {}),
            ("either public=True or scope", {"public": True, "scope": "orders:read"}),
            ("no scope 'moon:land'", {"scope": "moon:land"}),
            ("no scope 'sun:land'", {"scope": "orders:read", "also": "sun:land"}),
            ("also=... needs", {"public": True, "also": "orders:read"}),
            ("also=...", {"scope": "keys:read", "also": "keys:read", "guest": True}),
            ("needs a scope", {"public": True, "guest": True}),
            ("at least 0", {"public": True, "cost": -1}),
            ("idempotent by itself", {"public": True, "idempotent": "required"}),
            ("does not take 'it'", {"public": True, "path": "/v1/{it}"}),
        ],
    )
    def test_refuses_a_gap(self, gap, policy):
        with pytest.raises(BadRoutes, match=gap):
            check([route(**policy)])

    def test_names_every_gap_at_once(self):
        with pytest.raises(BadRoutes) as raised:
            check([route(path="/one"), route(path="/two")])

        assert "/one" in str(raised.value)
        assert "/two" in str(raised.value)

    def test_refuses_one_path_twice_whatever_its_parameter_is_called(self):
        one = route(path="/v1/{thing_id}", public=True)

        with pytest.raises(BadRoutes, match="listed twice"):
            check([one, route(path="/v1/{thing_id:uuid}", public=True)])

    def test_lets_a_whole_table_pass(self):
        check(
            [
                route(public=True),
                route("POST", scope="orders:write", idempotent="required"),
            ]
        )
