"""Every route tried by every kind of caller, against a table that a person can read.

``access_matrix.toml`` says who may; the routes' own policies are not asked, so that a
scope written wrongly beside a path is found. "May" is: whatever is wrong with the
request, it is not who sent it.
"""

import re
import tomllib
from pathlib import Path

import pytest

from holdfast.api.policy import Route
from holdfast.api.routes import ROUTES
from holdfast.domain.identity import (
    IDENTITY_SCOPES,
    KEY_SCOPES,
    SCOPES,
    list_roles,
)
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id

TABLE = Path(__file__).with_name("access_matrix.toml")
MAY = tomllib.loads(TABLE.read_text())["routes"]
ROLES = ("customer", "support", "catalogue_manager", "fulfilment", "finance", "admin")
PROGRAMS = ("key", "client")
CALLERS = ("anonymous", "cart", "powerless key", *PROGRAMS, *ROLES)
WORDS = {
    "everybody": CALLERS,
    "person": ROLES,
    "program": PROGRAMS,
    **{caller: (caller,) for caller in ("cart", *PROGRAMS, *ROLES)},
}


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def meant(words: str) -> set[str]:
    """The callers that a line of the table names."""
    return {caller for word in words.split() for caller in WORDS[word]}


def address_of(route: Route) -> str:
    """Where nothing is, whoever asks."""
    path = route.path
    for parameter, kind in route.parameters.items():
        value = str(new_id()) if kind == "uuid" else "nothing"
        path = path.replace(f"{{{parameter}:{kind}}}", value)
        path = path.replace(f"{{{parameter}}}", value)
    return path


def refused(answer) -> bool:
    """Whether it was who asked that was wrong (RFC 6750 3)."""
    challenge = answer.headers.get("www-authenticate", "")
    return answer.status_code in (401, 403) and challenge.startswith("Bearer")


def names_what_is_missing(answer) -> bool:
    """Whether a known caller is told the scope, and an unknown one to come again."""
    if "authorization" not in answer.request.headers:
        return bool(answer.status_code == 401)
    named = re.search(r'scope="([^"]*)"', answer.headers["www-authenticate"])
    known = SCOPES | set(IDENTITY_SCOPES)
    return answer.status_code == 403 and named is not None and named[1] in known


@pytest.fixture
async def headers_of(an_operator, signed_in):
    """The credentials of each caller."""
    cart = {"Authorization": f"Bearer {tokens.new_token(tokens.CART)}"}
    machine = await signed_in(scopes=KEY_SCOPES)
    client_token = await machine.sign(account_id=None, session_id=None)
    known = {
        "anonymous": {},
        "cart": cart,
        "powerless key": await an_operator(),
        "key": await an_operator(*KEY_SCOPES),
        "client": {"Authorization": f"Bearer {client_token}"},
    }

    async def headers(caller: str, route: Route) -> dict[str, str]:
        # Some routes end the session, or the account, of whoever calls them.
        ends = route.path.startswith("/v1/me") and route.method != "GET"
        if ends and caller in ROLES:
            return await token_for(caller)
        if caller not in known:
            known[caller] = await token_for(caller)
        return known[caller]

    async def token_for(role: str) -> dict[str, str]:
        roles = () if role == "customer" else (role,)
        person = await signed_in(*roles, scopes=SCOPES | set(IDENTITY_SCOPES))
        return person.headers

    return headers


class TestRoles:
    async def test_are_all_that_are_shipped(self, database):
        page = await list_roles(database, after=None, limit=1_000)

        shipped = {role.name for role in page.items if role.built_in}
        assert shipped == set(ROLES), "try every shipped role: list it in ROLES"


class TestTable:
    def test_has_a_line_for_every_route(self):
        missing = [
            f'"{name_of(route)}" = "WHO MAY"'
            for route in ROUTES
            if name_of(route) not in MAY
        ]

        assert not missing, f"say in {TABLE.name} who may call these:\n" + "\n".join(
            missing
        )

    def test_has_no_line_for_what_is_gone(self):
        gone = set(MAY) - {name_of(route) for route in ROUTES}

        assert not gone, f"remove these lines from {TABLE.name}: {sorted(gone)}"

    def test_speaks_of_callers_that_there_are(self):
        odd = {
            line: words for line, words in MAY.items() if set(words.split()) - {*WORDS}
        }

        assert not odd, f"the words are: {', '.join(WORDS)}"


class TestAccess:
    @pytest.mark.slow
    async def test_is_as_the_table_says(self, client, headers_of):
        wrong = []
        for route in ROUTES:
            if name_of(route) not in MAY:
                continue
            may = meant(MAY[name_of(route)])
            for caller in CALLERS:
                body = {"json": {}} if route.method in ("POST", "PUT", "PATCH") else {}
                answer = await client.request(
                    *(route.method, address_of(route)),
                    headers=await headers_of(caller, route),
                    **body,
                )
                said = f"{name_of(route)}: {caller}: {answer.status_code}"
                if refused(answer) == (caller in may):
                    verb = "should be let in" if caller in may else "should be refused"
                    wrong.append(f"{said}, {verb}")
                elif refused(answer) and not names_what_is_missing(answer):
                    wrong.append(f"{said}, without saying what is missing")
                elif answer.status_code >= 500:
                    wrong.append(f"{said}, which is a crash: {answer.text}")

        assert not wrong, "\n" + "\n".join(wrong)
