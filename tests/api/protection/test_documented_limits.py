"""The OpenAPI document says what a call costs, and what is told of limits."""

import pytest

from holdfast.api import openapi
from holdfast.api.routes import ROUTES


@pytest.fixture(scope="module")
def document():
    return openapi.document(ROUTES)


@pytest.fixture(scope="module")
def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


class TestLimits:
    def test_every_operation_says_what_it_costs(self, operations):
        assert operations["GET /v1/products/{product}"]["x-holdfast-cost"] == 1
        assert all("x-holdfast-cost" in said for said in operations.values())

    def test_every_operation_may_be_refused_for_too_many(self, operations):
        without = {
            name for name, said in operations.items() if "429" not in said["responses"]
        }

        assert without == {"GET /livez", "GET /readyz"}

    def test_a_refusal_says_when_to_come_and_what_is_left(self, document, operations):
        refused = operations["POST /v1/carts"]["responses"]["429"]

        assert refused["headers"].keys() == {
            *("X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy")
        }
        assert refused["headers"].keys() <= document["components"]["headers"].keys()
        examples = refused["content"]["application/problem+json"]["examples"]
        assert "quota-exceeded" in examples

    def test_a_success_says_what_is_left_where_something_is_taken(self, operations):
        for name, told in (("GET /v1/me", True), ("GET /v1/limits", False)):
            headers = operations[name]["responses"]["200"]["headers"]
            assert ("RateLimit" in headers) is told
