"""Every unsafe route takes a key: one effect, and the same bytes each time.

Made from the routes, not from memory: a new one is tried too, and fails until
``keyed_calls`` says how to call it, or its policy why it looks at no key.
"""

import asyncio

import pytest
from keyed_calls import RECIPES, call_of

from holdfast.api.routes import ROUTES
from holdfast.kernel.ids import new_id
from holdfast.platform.settings import Settings

UNSAFE = [route for route in ROUTES if route.method != "GET"]
KEYED = [route for route in UNSAFE if route.takes_key is not None]
# Whoever asked for it is gone, and what they were told with them.
FORGOTTEN = {"DELETE /v1/me"}


def name_of(route):
    return f"{route.method} {route.path}"


def replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


@pytest.fixture
def settings(request, settings):
    callspec = getattr(request.node, "callspec", None)
    route = callspec.params.get("route") if callspec else None
    said = {**settings.raw, "HOLDFAST_RATE_LIMITS": "*=off"}
    if route is not None and route.path.endswith("/capture"):
        said["HOLDFAST_CAPTURE"] = "shipment"
    return Settings.read(said)


class TestPolicy:
    def test_every_unsafe_route_takes_a_key_or_says_why_not(self):
        silent = [name_of(r) for r in UNSAFE if r.takes_key is None and not r.unkeyed]

        assert silent == []

    def test_every_unsafe_route_of_the_api_takes_one_but_those_of_machines(self):
        without = [r for r in UNSAFE if r.takes_key is None and r.path[:4] == "/v1/"]
        # Said twice it is the same, and it must work while the database does not.
        emergency = [r for r in without if r.path.startswith("/v1/protection/")]

        assert {r.method for r in emergency} <= {"PUT", "DELETE"}
        assert {r.path for r in without if r not in emergency} == {
            "/v1/webhooks/payments",
            "/v1/webhooks/carrier",
        }

    def test_there_is_no_recipe_for_what_is_gone(self):
        assert set(RECIPES) - {name_of(route) for route in KEYED} == set()


@pytest.mark.slow
@pytest.mark.parametrize("route", KEYED, ids=name_of)
class TestKeys:
    async def test_one_effect_and_the_same_bytes_each_time_for_one_request(
        self, route, world, send, everything, a_key
    ):
        call, key = await call_of(world, route), a_key()

        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(send(call, key)) for _ in range(3)]
        answers = [task.result() for task in sent]
        done = await everything()
        again = await send(call, key)

        first = next((n for n in answers if not replayed(n)), answers[0])
        assert first.status_code < 300, first.text
        if name_of(route) in FORGOTTEN:
            assert not again.is_success
            return
        assert sum(not replayed(answer) for answer in answers) == 1
        assert replayed(again)
        for answer in (*answers, again):
            assert answer.status_code == first.status_code, answer.text
            assert answer.content == first.content
            for name in ("etag", "location", "content-type", "retry-after"):
                assert answer.headers.get(name) == first.headers.get(name)
        assert await everything() == done
        await self.stands_for_no_other_request(route, send, call, key)

    async def stands_for_no_other_request(self, route, send, call, key):
        if (other := another(call, route)) is not None:
            answer = await send(other, key)
            if route.claims == "explicit" and answer.status_code == 404:
                # It looks for what the request is about before it looks at the key.
                return
            assert answer.status_code == 422, answer.text
            assert answer.json()["type"] == "/problems/idempotency-key-reused"


def another(call, route):
    """The same for something else; None if it names nothing and says nothing."""
    uuids = [name for name, kind in route.parameters.items() if kind == "uuid"]
    template, path = route.path.split("/"), call.path.split("/")
    if uuids:
        at = template.index(f"{{{uuids[-1]}:uuid}}")
        path[at] = str(new_id())
        return type(call)(call.method, "/".join(path), call.body, call.headers)
    if call.content is not None:
        content = call.content.replace(b"17", b"18")
        return type(call)(call.method, call.path, None, call.headers, content)
    for name, value in (call.body or {}).items():
        if isinstance(value, str) and name in {
            "name", "email", "title", "password", "reason", "current_password",
        }:  # fmt: skip
            body = {**call.body, name: "found" if name == "reason" else "x" + value}
            return type(call)(call.method, call.path, body, call.headers)
    return None
