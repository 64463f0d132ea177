import pytest
from cases import cases

from holdfast.kernel.ids import new_id

PATH = "/v1/security-events"


@pytest.fixture
async def auditor(an_operator):
    """Headers of an operator who may look into the record."""
    return await an_operator("audit:read")


@pytest.fixture
async def happened(client, an_operator, signed_in):
    """Two roles were given and one key was made; returns the accounts."""
    headers = {
        **await an_operator("roles:write", "keys:write", "orders:read"),
        "User-Agent": "curl/8",
    }
    both = [(await signed_in()).account_id for _ in range(2)]
    for account_id in both:
        path = f"/v1/users/{account_id}/roles/customer"
        for method in ("DELETE", "PUT"):
            answer = await client.request(method, path, headers=headers)
            assert answer.status_code == 204
    await client.post(
        "/v1/api-keys", headers=headers, json={"name": "x", "scopes": ["orders:read"]}
    )
    return both


class TestBrowse:
    async def test_shows_who_did_what_to_whom_from_where(
        self, client, auditor, happened
    ):
        answer = await client.get(
            f"{PATH}?account_id={happened[1]}&limit=1", headers=auditor
        )

        (event,) = answer.json()["items"]
        assert event["kind"] == "role.granted"
        assert event["actor"].startswith("key:")
        assert event["account_id"] == str(happened[1])
        assert event["detail"] == {"role": "customer"}
        assert event["address"] == "127.0.0.1"
        assert event["user_agent"] == "curl/8"
        assert event["happened_at"].endswith("Z")
        assert event["request_id"]

    async def test_leads_through_all_of_them_newest_first(
        self, client, auditor, happened
    ):
        ids, path = [], f"{PATH}?limit=2&kind=role.granted"
        while path:
            page = await client.get(path, headers=auditor)
            ids += [event["id"] for event in page.json()["items"]]
            path = page.links["next"]["url"] if "next" in page.links else None

        assert ids == sorted(ids, reverse=True)
        assert len(ids) == len(happened)

    async def test_can_be_narrowed_by_actor(self, client, auditor, happened):
        page = await client.get(f"{PATH}?kind=role.granted", headers=auditor)
        actor = page.json()["items"][0]["actor"]

        found = await client.get(
            PATH, headers=auditor, params={"actor": actor, "kind": "role.revoked"}
        )
        nobody = await client.get(
            PATH, headers=auditor, params={"actor": f"key:{new_id()}"}
        )

        assert len(found.json()["items"]) == 2
        assert nobody.json()["items"] == []

    @cases(
        "query",
        [
            "kind=role.odd",
            "account_id=7",
            "after=tea",
            "limit=0",
            "who=me",
            "actor=a%00",
        ],
    )
    async def test_refuses_what_it_cannot_mean(self, client, auditor, query):
        answer = await client.get(f"{PATH}?{query}", headers=auditor)

        assert answer.status_code == 422

    @cases("method", ["POST", "PUT", "PATCH", "DELETE"])
    async def test_lets_nobody_write(self, client, auditor, method):
        answer = await client.request(method, PATH, headers=auditor, json={})

        assert answer.status_code == 405
