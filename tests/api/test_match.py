from uuid import UUID

import pytest

from holdfast.api.match import Router

ID = "0192f3c4-0000-7000-8000-00000000abcd"


async def things():
    return "things"


async def thing(thing_id):
    return f"{type(thing_id).__name__} {thing_id}"


async def named(name):
    return name


@pytest.fixture
def site(edge, route):
    return edge(
        route("GET", "/v1/things", things),
        route("POST", "/v1/things", things),
        route("GET", "/v1/things/{thing_id:uuid}", thing),
        route("DELETE", "/v1/names/{name}", named),
        route("GET", "/v1/names/{name}", named),
        route("GET", "/v1/names/special", things),
    )


class TestPath:
    async def test_leads_to_its_handler(self, site):
        assert (await site.client.get("/v1/things")).json() == "things"

    async def test_gives_the_handler_its_parameter(self, site):
        assert (await site.client.get(f"/v1/things/{ID}")).json() == f"UUID {ID}"
        assert (
            await site.client.get(f"/v1/things/{ID.upper()}")
        ).json() == f"UUID {ID}"

    async def test_a_fixed_name_goes_before_a_parameter(self, site):
        assert (await site.client.get("/v1/names/special")).json() == "things"

    async def test_a_parameter_may_be_in_any_script(self, site):
        assert (await site.client.get("/v1/names/%C3%A9t%C3%A9")).json() == "été"

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/v1",
            "/v1/",
            "/v1/things/",
            "//v1/things",
            "/v1//things",
            "/V1/things",
            "/v1/things/7",
            f"/v1/things/{{{ID}}}",
            f"/v1/things/urn:uuid:{ID}",
            f"/v1/things/{ID.replace('-', '')}",
            f"/v1/things/{ID}/more",
            "/v1/names/",
            "/v1/names/..%2f..%2fetc%2fpasswd",
            "/v1/names/%2e%2e/%2e%2e/etc/passwd",
            "/v1/names/a%00b",
            "/v1/names/a%0d%0ab",
            "/v1/names/%ff%fe",
            "/v1/names/%ed%a0%80",
            "/v1/names/" + "x/" * 2000,
        ],
    )
    async def test_that_is_nobodys_is_not_found(self, site, path):
        answer = await site.client.get(path)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/route-not-found"


class TestMethod:
    async def test_that_the_path_does_not_know_is_told_which_it_does(self, site):
        answer = await site.client.put("/v1/things")

        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert answer.json()["type"] == "/problems/method-not-allowed"
        assert answer.json()["allow"] == ["GET", "HEAD", "OPTIONS", "POST"]

    async def test_options_lists_the_methods(self, site):
        answer = await site.client.options("/v1/names/tea")

        assert answer.status_code == 204
        assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
        assert answer.content == b""

    async def test_head_is_get_without_the_body(self, site):
        got, headed = (
            await site.client.get("/v1/things"),
            await site.client.head("/v1/things"),
        )

        assert headed.content == b""
        assert headed.headers["content-length"] == got.headers["content-length"]

    async def test_head_is_not_for_paths_without_get(self, edge, route):
        site = edge(route("POST", "/v1/things", things))

        assert (await site.client.head("/v1/things")).status_code == 405

    async def test_nobody_has_heard_of_is_refused(self, site):
        assert (await site.client.request("BREW", "/v1/things")).status_code == 405


class TestRouter:
    def test_gives_parameters_as_what_they_are(self, route):
        router = Router([route("GET", "/v1/things/{thing_id:uuid}", thing)])

        _, parameters = router.find(f"/v1/things/{ID}")

        assert parameters == {"thing_id": UUID(ID)}

    def test_refuses_two_names_for_one_place(self, route):
        with pytest.raises(ValueError, match="differently"):
            Router(
                [route("GET", "/v1/{a}/x", things), route("GET", "/v1/{b}/y", things)]
            )
