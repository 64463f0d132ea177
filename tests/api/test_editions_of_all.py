"""Whatever operators write beside products: of two editors, the second is told."""

import pytest
from cases import cases
from pictures import picture

from holdfast.api.binding import parameters_of
from holdfast.api.routes import ROUTES
from holdfast.kernel.ids import new_id

CATALOGUE = {
    *("products", "categories", "collections", "attributes", "prices", "price-lists"),
    *("customer-groups", "media", "search", "suggestions"),
}
BESIDES = {"/v1/customers/{account_id:uuid}/groups"}
# A membership is or is not; who puts somebody in twice overwrites nothing.
ADDS = {"PUT /v1/customer-groups/{group_id:uuid}/members/{account_id:uuid}"}
OURS = [
    route
    for route in ROUTES
    if route.path in BESIDES
    or (route.path.startswith("/v1/") and route.path.split("/")[2] in CATALOGUE)
]


def headers_of(route):
    return {p.name for p in parameters_of(route) if p.in_header}


class TestRoutes:
    def test_that_read_spare_whoever_has_it(self):
        reads = [route for route in OURS if route.method == "GET"]
        forgotten = [r.path for r in reads if "If-None-Match" not in headers_of(r)]

        assert len(reads) > 20
        assert forgotten == []

    def test_that_change_or_delete_name_what_was_read(self):
        writes = [r for r in OURS if r.method in {"PATCH", "PUT", "DELETE"}]
        forgotten = [
            f"{r.method} {r.path}" for r in writes if "If-Match" not in headers_of(r)
        ]
        not_said = {
            f"{r.method} {r.path}"
            for r in writes
            if "PreconditionRequired" not in {error.__name__ for error in r.raises}
        }

        assert len(writes) > 15
        assert forgotten == []
        assert not_said == ADDS


@pytest.fixture
async def operator(an_operator):
    return await an_operator(
        "products:read", "products:write", "customers:read", "customers:write"
    )


@pytest.fixture
def made(client, operator):
    """Make one of a kind; its address."""

    async def make(kind):
        if kind == "media":
            files = {"file": ("tin.png", picture())}
            answer = await client.post("/v1/media", files=files, headers=operator)
        else:
            path, body = THINGS[kind][:2]
            answer = await client.post(path, json=body, headers=operator)
        assert answer.status_code == 201, answer.text
        assert answer.headers["ETag"].startswith('"1.')
        return answer.headers["Location"]

    return make


SYNONYMS = {"synonyms": ["sofa", "settee"]}
THINGS = {
    "price list": (
        *("/v1/price-lists", {"code": "spring", "name": "Spring"}),
        *("PATCH", {"name": "May"}, "price-list-changed"),
    ),
    "customer group": (
        *("/v1/customer-groups", {"code": "club", "name": "Club"}),
        *("PATCH", {"name": "Gold"}, "customer-group-changed"),
    ),
    "synonyms": (
        *("/v1/search/synonyms", {"synonyms": ["sofa", "couch"]}),
        *("PUT", SYNONYMS, "synonyms-changed"),
    ),
    "media": ("/v1/media", None, "PATCH", {"alt": "A tin"}, "media-changed"),
}


class TestThings:
    @pytest.mark.parametrize("kind", THINGS)
    async def test_are_changed_by_who_read_them_last(
        self, client, operator, made, kind
    ):
        where, _, method, changes, slug = THINGS[kind]
        path = await made(kind)
        read = await client.get(path, headers=operator)
        seen = {**operator, "If-Match": read.headers["ETag"]}

        blind = await client.request(method, path, json=changes, headers=operator)
        first = await client.request(method, path, json=changes, headers=seen)
        late = await client.request(method, path, json=changes, headers=seen)
        same = await client.request(
            method, path, json=changes, headers={**operator, "If-Match": "*"}
        )

        assert (blind.status_code, first.status_code, late.status_code) == (
            *(428, 200, 412),
        )
        assert late.json()["type"] == f"/problems/{slug}"
        assert late.json()["version"] == first.json()["version"] == 2
        # What changes nothing raises no version.
        assert same.headers["ETag"] == first.headers["ETag"]
        listed = await client.get(where, headers=operator)
        assert listed.json()["items"] == [first.json()]

    @pytest.mark.parametrize("kind", THINGS)
    async def test_are_deleted_by_who_read_them_last(
        self, client, operator, made, kind
    ):
        path = await made(kind)

        answers = [
            await client.delete(path, headers={**operator, **said})
            for said in ({}, {"If-Match": '"7"'}, {"If-Match": '"1"'})
        ]

        assert [answer.status_code for answer in answers] == [428, 412, 204]

    @pytest.mark.parametrize("kind", THINGS)
    async def test_are_not_sent_again_to_who_has_them(
        self, client, operator, made, kind
    ):
        path = await made(kind)
        for address in (path, THINGS[kind][0]):
            tag = (await client.get(address, headers=operator)).headers["ETag"]

            again = await client.get(
                address, headers={**operator, "If-None-Match": tag}
            )

            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == tag

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_that_are_not_there_are_not_found(self, client, operator, method):
        answer = await client.request(
            method,
            f"/v1/search/synonyms/{new_id()}",
            json=SYNONYMS if method == "PUT" else None,
            headers={**operator, "If-Match": '"1"'},
        )

        assert answer.json()["type"] == "/problems/synonyms-not-found"


class TestMembers:
    async def test_are_part_of_their_group(self, client, operator, made, signed_in):
        path, ada = await made("customer group"), await signed_in()
        member = f"{path}/members/{ada.account_id}"
        seen = {**operator, "If-Match": '"1"'}

        joined = await client.put(member, headers=seen)
        again = await client.put(member, headers=operator)
        late = await client.put(member, headers=seen)
        listed = await client.get(f"{path}/members", headers=operator)
        blind = await client.delete(member, headers=operator)
        stale = await client.delete(member, headers=seen)
        left = await client.delete(
            member, headers={**operator, "If-Match": listed.headers["ETag"]}
        )
        group = await client.get(path, headers=operator)

        assert (joined.status_code, again.status_code, late.status_code) == (
            *(200, 200, 412),
        )
        assert (blind.status_code, stale.status_code, left.status_code) == (
            *(428, 412, 204),
        )
        assert stale.json()["type"] == "/problems/customer-group-changed"
        assert stale.json()["version"] == 2
        assert (group.json()["version"], group.json()["members"]) == (3, 0)


class TestPrices:
    @pytest.fixture
    def put(self, client, operator):
        async def send(amount, if_match, *skus):
            price = {"amount": amount, "currency": "EUR"}
            body = {"prices": [{"sku": sku, "price": price} for sku in skus]}
            said = {} if if_match is None else {"If-Match": if_match}
            return await client.put(
                "/v1/prices", json=body, headers={**operator, **said}
            )

        return send

    async def test_of_a_variant_are_changed_by_who_read_them_last(
        self, client, operator, put, a_product
    ):
        await a_product("TEA")
        path = "/v1/prices?sku=TEA"
        seen = (await client.get(path, headers=operator)).headers["ETag"]

        blind = await put(900, None, "TEA")
        first = await put(900, seen, "TEA")
        late = await put(800, seen, "TEA")
        read = await client.get(path, headers=operator)
        second = await put(800, first.headers["ETag"], "TEA")

        assert (blind.status_code, first.status_code, late.status_code) == (
            *(428, 200, 412),
        )
        assert late.json()["type"] == "/problems/prices-changed"
        # An editor may go on with what the answer to the write said.
        assert read.headers["ETag"].startswith(f'"{late.json()["version"]}.')
        assert second.status_code == 200
        item = (await client.get(path, headers=operator)).json()["items"][0]
        gone = [
            await client.delete(
                f"/v1/prices/{item['id']}", headers={**operator, "If-Match": tag}
            )
            for tag in (read.headers["ETag"], second.headers["ETag"])
        ]
        assert [answer.status_code for answer in gone] == [412, 204]

    @cases("sku", ["NONE", "N%00NE", "%F0%9F%AB%96", "%ED%A0%80"])
    async def test_of_nothing_have_no_version(self, client, operator, sku):
        answer = await client.get(f"/v1/prices?sku={sku}", headers=operator)

        assert answer.status_code in {200, 400, 422}, answer.text
        assert answer.json().get("items", []) == []
        assert "." not in answer.headers.get("ETag", "")

    async def test_of_one_are_no_matter_of_another(self, put, a_product):
        await a_product("TEA")
        await a_product("CUP")
        first = await put(900, "*", "TEA")

        await put(500, "*", "CUP")
        second = await put(800, first.headers["ETag"], "TEA")

        assert second.status_code == 200

    async def test_of_several_are_set_whatever_is_there(self, put, a_product):
        await a_product("TEA")
        await a_product("CUP")

        named = await put(900, '"1"', "TEA", "CUP")
        all_at_once = await put(900, "*", "TEA", "CUP")

        assert named.json()["errors"][0]["parameter"] == "If-Match"
        assert all_at_once.status_code == 200

    async def test_are_not_sent_again_to_who_has_them(
        self, client, operator, put, a_product
    ):
        await a_product("TEA")
        await put(900, "*", "TEA")
        at = "2026-12-01T00:00:00Z"
        for path in (
            "/v1/prices",
            "/v1/prices?sku=TEA",
            "/v1/prices/history?sku=TEA",
            f"/v1/prices/quote?sku=TEA&at={at}",
            "/v1/attributes",
            "/v1/suggestions?q=te",
        ):
            tag = (await client.get(path, headers=operator)).headers["ETag"]

            again = await client.get(path, headers={**operator, "If-None-Match": tag})

            assert again.status_code == 304, path
