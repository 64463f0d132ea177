import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from holdfast.api import binding, openapi
from holdfast.api.examples import EXAMPLES
from holdfast.api.policy import PARAMETER
from holdfast.api.problems import slug_of, status_of
from holdfast.api.routes import ROUTES

VERBS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document():
    return msgspec.json.decode(openapi.encoded(ROUTES))


@pytest.fixture(scope="module")
def operations(document):
    return {
        f"{verb.upper()} {path}": operation
        for path, item in document["paths"].items()
        for verb, operation in item.items()
        if verb in VERBS
    }


async def nothing():
    """Do nothing."""


def bodies():
    return {
        body.type
        for route in ROUTES
        if route.documented and (body := binding.body_of(route)) is not None
    }


def _patterns(part):
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for value in part.values():
            yield from _patterns(value)
    elif isinstance(part, list):
        for value in part:
            yield from _patterns(value)


class TestDocument:
    @pytest.mark.no_cover  # ten seconds in a validator that is not ours
    def test_is_valid_openapi_3_1(self, document):
        assert document["openapi"].startswith("3.1")
        assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []

    async def test_is_served(self, edge):
        answer = await edge(*ROUTES).client.get("/openapi.json")

        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["info"]["title"] == "Holdfast"

    def test_no_pattern_lets_a_line_break_in_at_the_end(self, document):
        # In Python, unlike in ECMA-262, `$` also matches before a last line break.
        patterns = set(_patterns(document))

        assert patterns
        assert [p for p in sorted(patterns) if p.endswith("$")] == []

    def test_has_every_route_that_is_documented(self, operations):
        wanted = {
            f"{r.method} " + PARAMETER.sub(r"{\1}", r.path)
            for r in ROUTES
            if r.documented
        }

        assert operations.keys() == wanted

    def test_names_each_operation_once(self, operations):
        ids = [operation["operationId"] for operation in operations.values()]

        assert len(set(ids)) == len(ids)

    def test_says_what_is_turned_away_first(self, operations):
        export = operations["POST /v1/me/export"]
        live = operations["GET /livez"]

        assert export["x-holdfast-priority"] == "bulk"
        assert "/problems/overloaded" in str(export["responses"]["503"])
        assert live["x-holdfast-priority"] == "exempt"
        assert "503" not in live["responses"]


class TestSchemas:
    def test_of_bodies_refuse_unknown_fields(self, document):
        schemas = document["components"]["schemas"]
        lax = [
            body.__name__
            for body in bodies()
            if schemas[body.__name__].get("additionalProperties") is not False
        ]

        assert lax == []

    def test_of_bodies_carry_their_limits(self, document):
        key = document["components"]["schemas"]["NewKey"]["properties"]

        assert key["name"]["maxLength"] == 200
        assert key["scopes"]["minItems"] == 1


class TestExamples:
    def test_there_is_one_for_every_body(self):
        assert {body.__name__ for body in bodies()} - EXAMPLES.keys() == set()

    @pytest.mark.parametrize("body", sorted(bodies(), key=lambda b: b.__name__))
    def test_fit_the_type_they_stand_for(self, body):
        for example in EXAMPLES[body.__name__]:
            assert isinstance(msgspec.convert(example, body), body)

    def test_are_shown(self, document):
        shown = document["components"]["schemas"]["NewKey"]["examples"]

        assert shown == EXAMPLES["NewKey"]


class TestOperation:
    @pytest.mark.parametrize(
        "route",
        [r for r in ROUTES if r.documented],
        ids=lambda r: f"{r.method} {r.path}",
    )
    def test_documents_the_problems_of_its_route(self, operations, route):
        path = PARAMETER.sub(r"{\1}", route.path)
        responses = operations[f"{route.method} {path}"]["responses"]

        for error in route.raises:
            content = responses[str(status_of(error))]["content"]
            assert slug_of(error) in content["application/problem+json"]["examples"]

    def test_says_which_credentials_it_takes(self, operations):
        security = {name: said["security"] for name, said in operations.items()}

        assert security["GET /v1/api-keys"] == [
            {"apiKey": ["keys:read"]},
            {"oauth2": ["keys:read"]},
        ]
        assert security["GET /v1/products"] == [{}, {"apiKey": []}, {"oauth2": []}]
        assert security["GET /v1/carts/{cart_id}"][:3] == [
            {"cartToken": []},
            {"apiKey": ["carts:write"]},
            {"oauth2": ["carts:write"]},
        ]
        assert security["POST /v1/imports"] == [
            {"apiKey": ["products:write", "inventory:write"]},
            {"oauth2": ["products:write", "inventory:write"]},
        ]

    def test_offers_no_key_for_what_only_a_person_may(self, operations, route):
        mine = route("GET", "/v1/mine", nothing, scope="account:read")
        orders = route("GET", "/v1/all", nothing, scope="orders:read", own="orders:own")

        paths = openapi.document([mine, orders])["paths"]

        assert paths["/v1/mine"]["get"]["security"] == [{"oauth2": ["account:read"]}]
        assert paths["/v1/all"]["get"]["security"] == [
            {"apiKey": ["orders:read"]},
            {"oauth2": ["orders:read"]},
            {"oauth2": ["orders:own"]},
        ]

    def test_demands_only_scopes_that_its_way_in_can_give(self, document, operations):
        schemes = document["components"]["securitySchemes"]
        flow = schemes["oauth2"]["flows"]["authorizationCode"]

        asked = {
            scope
            for operation in operations.values()
            for way in operation["security"]
            for scope in way.get("oauth2", ())
        }
        assert asked <= flow["scopes"].keys()
        assert len(asked) > 10

    def test_demands_the_idempotency_key_where_it_is_needed(self, operations):
        named = [
            parameter["name"]
            for parameter in operations["POST /v1/carts/{cart_id}/checkout"][
                "parameters"
            ]
            if parameter["in"] == "header"
        ]

        assert {"Idempotency-Key", "X-Request-Timeout-Ms"} <= set(named)

    def test_describes_the_parameters_of_lists(self, operations):
        limit, after, _ = operations["GET /v1/api-keys"]["parameters"]

        assert limit["schema"]["maximum"] == 100
        assert limit["schema"]["default"] == 20
        assert after["required"] is False
