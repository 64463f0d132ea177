import pytest
from cases import cases

from holdfast.domain.identity import KEY_SCOPES
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id

NEW = {"name": "Warehouse", "scopes": ["inventory:read"]}


@pytest.fixture
async def everything(an_operator):
    """Headers of an operator who may do everything."""
    return await an_operator(*KEY_SCOPES)


class TestCreate:
    async def test_shows_the_key_once(self, client, everything):
        created = await client.post("/v1/api-keys", headers=everything, json=NEW)
        listed = await client.get("/v1/api-keys", headers=everything)

        assert created.status_code == 201
        key = created.json()
        assert tokens.plausible(key["key"], tokens.API_KEY)
        assert key["prefix"] == key["key"][:10]
        assert key["created_at"].endswith("Z")
        assert key["revoked_at"] is None
        assert key["key"] not in listed.text

    async def test_makes_a_key_that_works(self, client, everything):
        key = (await client.post("/v1/api-keys", headers=everything, json=NEW)).json()

        headers = {"Authorization": f"Bearer {key['key']}"}
        answer = await client.get("/v1/inventory/NOTHING", headers=headers)

        assert answer.json()["type"] == "/problems/unknown-stock"

    async def test_gives_nobody_more_than_the_giver_has(self, client, an_operator):
        headers = await an_operator("keys:write", "orders:read")

        answer = await client.post(
            "/v1/api-keys",
            headers=headers,
            json={"name": "x", "scopes": ["orders:read", "orders:write", "keys:read"]},
        )

        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/scope-not-held"
        assert answer.json()["missing"] == ["keys:read", "orders:write"]

    async def test_refuses_scopes_that_do_not_exist(self, client, everything):
        answer = await client.post(
            "/v1/api-keys", headers=everything, json={"name": "x", "scopes": ["all"]}
        )

        assert answer.status_code == 422
        assert answer.json()["unknown"] == ["all"]

    @cases(
        "body",
        [
            {"name": "", "scopes": ["orders:read"]},
            {"name": "x" * 201, "scopes": ["orders:read"]},
            {"name": "a\x00b", "scopes": ["orders:read"]},
            {"name": "x", "scopes": []},
            {"name": "x"},
            {**NEW, "admin": True},
        ],
    )
    async def test_refuses_what_is_not_a_key(self, client, everything, body):
        answer = await client.post("/v1/api-keys", headers=everything, json=body)

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"


class TestBrowse:
    async def test_leads_through_all_keys_newest_first(self, client, everything):
        for n in range(4):
            await client.post(
                "/v1/api-keys", headers=everything, json={**NEW, "name": f"{n}"}
            )

        names, path = [], "/v1/api-keys?limit=2"
        while path:
            page = await client.get(path, headers=everything)
            names += [key["name"] for key in page.json()["items"]]
            path = page.links["next"]["url"] if "next" in page.links else None

        assert names == ["3", "2", "1", "0", "Test"]

    async def test_refuses_a_cursor_it_did_not_give(self, client, everything):
        answer = await client.get("/v1/api-keys?after=tea", headers=everything)

        assert answer.json()["type"] == "/problems/bad-cursor"


class TestRevoke:
    async def test_may_be_done_again(self, client, everything):
        key = (await client.post("/v1/api-keys", headers=everything, json=NEW)).json()

        for _ in range(2):
            path = f"/v1/api-keys/{key['id']}"
            assert (await client.delete(path, headers=everything)).status_code == 204

        listed = (await client.get("/v1/api-keys", headers=everything)).json()["items"]
        assert [k["revoked_at"] is not None for k in listed] == [True, False]

    async def test_of_a_key_that_was_not_in_use_works_at_once(self, client, everything):
        key = (await client.post("/v1/api-keys", headers=everything, json=NEW)).json()
        await client.delete(f"/v1/api-keys/{key['id']}", headers=everything)

        headers = {"Authorization": f"Bearer {key['key']}"}
        answer = await client.get("/v1/inventory/X", headers=headers)

        assert answer.json()["type"] == "/problems/invalid-credentials"

    async def test_says_when_there_is_no_such_key(self, client, everything):
        answer = await client.delete(f"/v1/api-keys/{new_id()}", headers=everything)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/api-key-not-found"


class TestRecord:
    async def test_has_who_made_and_revoked_which_key(self, client, everything):
        key = (await client.post("/v1/api-keys", headers=everything, json=NEW)).json()
        for _ in range(2):
            await client.delete(f"/v1/api-keys/{key['id']}", headers=everything)

        events = (await client.get("/v1/security-events", headers=everything)).json()
        told = [
            (event["kind"], event["actor"].split(":")[0], event["detail"])
            for event in events["items"]
            if event["detail"].get("key_id") == key["id"]
        ]
        made = {"key_id": key["id"], "scopes": "inventory:read"}
        assert told == [
            ("api_key.revoked", "key", {"key_id": key["id"]}),
            ("api_key.created", "key", made),
        ]
        assert key["key"] not in str(events)
