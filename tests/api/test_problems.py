from dataclasses import dataclass
from uuid import UUID

import pytest

from holdfast.api import problems
from holdfast.kernel import errors as kinds
from holdfast.kernel.money import Money
from holdfast.resilience.errors import Overloaded, Rejected, TimedOut

ID = UUID("0192f3c4-0000-7000-8000-00000000abcd")


@dataclass(eq=False)
class TeaSpilled(kinds.Conflict):
    """The tea was spilled.

    A second paragraph is for readers of the code.
    """

    cup_id: UUID
    worth: Money
    retry_after_seconds: float = 1.2


class HTTPTeapotError(kinds.Gone):
    """It was short and stout."""


@dataclass(eq=False)
class Crumbled(kinds.Invalid):
    """There is hardly a biscuit left."""

    errors: list[dict[str, str]]


@dataclass(eq=False)
class Impostor(kinds.Invalid):
    """A field cannot pass for a member of every problem."""

    status: int = 200
    type: str = "about:blank"
    title: str = "Fine"
    instance: str = "/elsewhere"


def raising(error):
    async def handler():
        raise error

    return handler


@pytest.fixture
def ask(edge, route):
    async def ask(error, **headers):
        site = edge(route("GET", "/v1/tea", raising(error)))
        return await site.client.get("/v1/tea", headers=headers)

    return ask


class TestProblem:
    async def test_is_made_of_the_error_alone(self, ask):
        answer = await ask(TeaSpilled(ID, Money(1999, "EUR")), **{"X-Request-Id": "r1"})

        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "/problems/tea-spilled",
            "title": "The tea was spilled.",
            "status": 409,
            "cup_id": str(ID),
            "worth": {"amount": 1999, "currency": "EUR"},
            "instance": "/requests/r1",
        }

    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            (kinds.Malformed, 400),
            (kinds.Unauthenticated, 401),
            (kinds.PaymentRequired, 402),
            (kinds.Forbidden, 403),
            (kinds.NotFound, 404),
            (kinds.Conflict, 409),
            (kinds.Gone, 410),
            (kinds.Invalid, 422),
            (kinds.Unavailable, 503),
            (kinds.OutcomeUnknown, 504),
            (Rejected, 503),
            (Overloaded, 503),
            (TimedOut, 504),
        ],
    )
    async def test_has_the_status_of_its_kind(self, ask, kind, status):
        class Special(kind):
            """A special case."""

        assert (await ask(Special())).status_code == status

    async def test_names_the_first_of_many_faults(self, ask):
        answer = await ask(Crumbled([{"pointer": f"/{n}"} for n in range(10_000)]))

        errors = answer.json()["errors"]
        assert len(errors) == kinds.MOST_FAULTS
        assert errors[-1] == {"pointer": "/99"}

    async def test_cannot_be_overruled_by_a_field(self, ask):
        answer = await ask(Impostor())

        assert answer.status_code == answer.json()["status"] == 422
        assert answer.json()["type"] == "/problems/impostor"
        assert answer.json()["instance"].startswith("/requests/")

    async def test_says_when_to_ask_again_rounded_up(self, ask):
        spilled = await ask(TeaSpilled(ID, Money(1, "EUR")))
        overloaded = await ask(Overloaded(retry_after_seconds=0.1))

        assert spilled.headers["retry-after"] == "2"
        assert overloaded.headers["retry-after"] == "1"

    async def test_of_what_is_unavailable_always_says_when(self, ask):
        assert (await ask(kinds.Unavailable())).headers["retry-after"] == "1"

    async def test_does_not_say_when_where_nobody_knows(self, ask):
        assert "retry-after" not in (await ask(kinds.NotFound())).headers


class TestUnexpected:
    async def test_says_nothing_but_the_id_of_the_request(self, ask, capsys):
        answer = await ask(ValueError("secret"), **{"X-Request-Id": "r2"})

        assert answer.status_code == 500
        assert answer.json() == {
            "type": "/problems/internal-error",
            "title": "Something went wrong on our side.",
            "status": 500,
            "instance": "/requests/r2",
        }

    async def test_is_logged_once_with_the_traceback(self, ask, log):
        await ask(ValueError("for the log"), **{"X-Request-Id": "r3"})

        (line,) = [x for x in log() if x["event"] == "request_failed"]
        assert line["request_id"] == "r3"
        assert line["route"] == "/v1/tea"
        assert "ValueError: for the log" in line["exception"]
        assert "raise error" in line["exception"]

    async def test_is_logged_without_the_values_of_variables(self, ask, log):
        secret = "hfk_not_for_the_log"
        await ask(ValueError("x"), Authorization=f"Digest {secret}")
        await ask(ValueError("x"), **{"X-Secret": secret})

        assert secret not in str(log())

    async def test_of_expected_refusals_nothing_is_logged(self, ask, log):
        await ask(TeaSpilled(ID, Money(1, "EUR")))

        assert log() == []


class TestSlug:
    @pytest.mark.parametrize(
        ("error", "slug"),
        [
            (TeaSpilled, "tea-spilled"),
            (HTTPTeapotError, "http-teapot-error"),
            (problems.RouteNotFound, "route-not-found"),
            (ValueError, "internal-error"),
        ],
    )
    def test_is_the_name_in_kebab_case(self, error, slug):
        assert problems.slug_of(error) == slug
