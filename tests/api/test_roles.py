import pytest
from cases import cases

from holdfast.domain import accounts
from holdfast.domain.identity import KEY_SCOPES
from holdfast.kernel.ids import new_id

PACKERS = {"name": "packers", "title": "Packers", "scopes": ["orders:read"]}
PATH = "/v1/roles/packers"


@pytest.fixture
async def everything(an_operator):
    """Headers of an operator who may do everything."""
    return await an_operator(*KEY_SCOPES)


@pytest.fixture
async def packers(client, everything):
    """A role of the shop's own."""
    answer = await client.post("/v1/roles", headers=everything, json=PACKERS)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def an_account(signed_in):
    """Make an account with some roles; returns its id."""

    async def make(*roles):
        return (await signed_in(*roles)).account_id

    return make


@pytest.fixture
def recorded(client, everything):
    """The kinds and details of what was recorded about roles, latest first."""

    async def read():
        answer = await client.get("/v1/security-events?limit=100", headers=everything)
        return [
            (event["kind"], event["detail"])
            for event in answer.json()["items"]
            if event["kind"].startswith("role.")
        ]

    return read


class TestBrowse:
    async def test_leads_through_all_roles_by_name(self, client, everything, packers):
        names, path = [], "/v1/roles?limit=3"
        while path:
            page = await client.get(path, headers=everything)
            names += [role["name"] for role in page.json()["items"]]
            path = page.links["next"]["url"] if "next" in page.links else None

        assert names == sorted(names)
        assert len(names) == len(set(names)) == 7

    async def test_refuses_a_cursor_it_did_not_give(self, client, everything):
        answer = await client.get("/v1/roles?after=tea", headers=everything)

        assert answer.json()["type"] == "/problems/bad-cursor"


class TestShow:
    async def test_says_what_a_role_allows(self, client, everything):
        role = (await client.get("/v1/roles/fulfilment", headers=everything)).json()

        assert role["scopes"] == [
            *("inventory:read", "inventory:write", "orders:fulfil", "orders:read")
        ]
        assert role["built_in"] is True

    async def test_says_when_there_is_no_such_role(self, client, everything):
        answer = await client.get("/v1/roles/king", headers=everything)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/role-not-found"


class TestCreate:
    async def test_makes_a_role_and_records_it(self, packers, recorded):
        assert packers["scopes"] == ["orders:read"]
        assert packers["built_in"] is False
        assert await recorded() == [
            ("role.created", {"role": "packers", "scopes": "orders:read"})
        ]

    @pytest.mark.parametrize("name", ["packers", "admin"])
    async def test_refuses_a_name_that_is_taken(
        self, client, everything, packers, name
    ):
        body = {**PACKERS, "name": name}
        answer = await client.post("/v1/roles", headers=everything, json=body)

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/role-name-taken"

    async def test_refuses_scopes_that_do_not_exist(self, client, everything):
        body = {**PACKERS, "scopes": ["orders:read", "all"]}
        answer = await client.post("/v1/roles", headers=everything, json=body)

        assert answer.status_code == 422
        assert answer.json()["unknown"] == ["all"]

    async def test_gives_nobody_more_than_the_giver_has(self, client, an_operator):
        headers = await an_operator("roles:write", "orders:read")
        body = {**PACKERS, "scopes": ["orders:read", "users:write"]}
        answer = await client.post("/v1/roles", headers=headers, json=body)

        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/scope-not-held"
        assert answer.json()["missing"] == ["users:write"]

    @cases(
        "more",
        [
            {"name": "Packers"},
            {"name": "p"},
            {"name": "packers "},
            {"title": ""},
            {"title": " "},
            {"title": "x" * 101},
            {"description": "x" * 501},
            {"scopes": "orders:read"},
            {"built_in": True},
            {"id": "01943a00-0000-7000-8000-000000000006"},
            {"created_at": "2026-01-01T00:00:00Z"},
        ],
    )
    async def test_refuses_what_is_not_a_role(self, client, everything, more):
        answer = await client.post(
            "/v1/roles", headers=everything, json={**PACKERS, **more}
        )

        assert answer.status_code == 422


class TestChange:
    async def test_changes_what_is_named_and_records_it(
        self, client, everything, packers, recorded, clock
    ):
        clock.advance(hours=1)
        answer = await client.patch(
            PATH,
            headers=everything,
            json={"description": "Pack", "scopes": ["inventory:read"]},
        )

        changed = answer.json()
        assert changed == {
            **packers,
            "description": "Pack",
            "scopes": ["inventory:read"],
            "updated_at": changed["updated_at"],
        }
        assert changed["updated_at"] > packers["updated_at"]
        assert (await recorded())[0] == (
            "role.changed",
            {"role": "packers", "added": "inventory:read", "removed": "orders:read"},
        )

    async def test_records_nothing_when_nothing_changes(
        self, client, everything, packers, recorded
    ):
        for body in ({}, {"title": "Packers", "scopes": ["orders:read"]}):
            answer = await client.patch(PATH, headers=everything, json=body)
            assert answer.json() == packers

        assert len(await recorded()) == 1

    async def test_adds_only_scopes_that_the_giver_has(
        self, client, packers, an_operator
    ):
        headers = await an_operator("roles:write")

        more = await client.patch(
            PATH, headers=headers, json={"scopes": ["orders:read", "audit:read"]}
        )
        less = await client.patch(PATH, headers=headers, json={"scopes": []})

        assert more.status_code == 403
        assert more.json()["missing"] == ["audit:read"]
        assert less.status_code == 200

    @pytest.mark.parametrize("body", [{"name": "x"}, {"built_in": True}], ids=str)
    async def test_lets_nothing_else_be_changed(
        self, client, everything, packers, body
    ):
        answer = await client.patch(PATH, headers=everything, json=body)

        assert answer.status_code == 422

    async def test_leaves_built_in_roles_alone(self, client, everything):
        answer = await client.patch(
            "/v1/roles/customer", headers=everything, json={"scopes": ["users:write"]}
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/role-built-in"


class TestDelete:
    async def test_deletes_a_role_and_records_it(
        self, client, everything, packers, recorded
    ):
        assert (await client.delete(PATH, headers=everything)).status_code == 204

        assert (await client.get(PATH, headers=everything)).status_code == 404
        assert (await recorded())[0] == ("role.deleted", {"role": "packers"})

    async def test_tells_how_many_accounts_have_it(
        self, client, everything, packers, an_account
    ):
        await an_account("packers")

        answer = await client.delete(PATH, headers=everything)

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/role-in-use"
        assert answer.json()["accounts"] == 1

    async def test_leaves_built_in_roles_alone(self, client, everything):
        answer = await client.delete("/v1/roles/finance", headers=everything)

        assert answer.json()["type"] == "/problems/role-built-in"


class TestOfUser:
    async def test_lists_them_by_name(self, client, everything, an_account):
        account_id = await an_account("support")

        answer = await client.get(f"/v1/users/{account_id}/roles", headers=everything)

        names = [role["name"] for role in answer.json()["items"]]
        assert names == ["customer", "support"]

    async def test_says_when_there_is_no_such_account(self, client, everything):
        answer = await client.get(f"/v1/users/{new_id()}/roles", headers=everything)

        assert answer.json()["type"] == "/problems/account-not-found"


class TestGrant:
    async def test_gives_a_role_once_and_records_it(
        self, client, everything, an_account, recorded
    ):
        account_id = await an_account()
        path = f"/v1/users/{account_id}/roles"
        for _ in range(2):
            answer = await client.put(f"{path}/support", headers=everything)
            assert answer.status_code == 204

        roles = (await client.get(path, headers=everything)).json()["items"]
        assert [role["name"] for role in roles] == ["customer", "support"]
        assert await recorded() == [("role.granted", {"role": "support"})]

    async def test_is_refused_to_who_does_not_hold_what_it_allows(
        self, client, an_operator, an_account
    ):
        account_id = await an_account()
        headers = await an_operator(*(KEY_SCOPES - {"audit:read"}))

        answer = await client.put(
            f"/v1/users/{account_id}/roles/admin", headers=headers
        )

        assert answer.status_code == 403
        assert answer.json()["missing"] == ["audit:read"]

    async def test_says_what_there_is_not(self, client, everything, an_account):
        nobody = await client.put(
            f"/v1/users/{new_id()}/roles/support", headers=everything
        )
        nothing = await client.put(
            f"/v1/users/{await an_account()}/roles/king", headers=everything
        )

        assert nobody.json()["type"] == "/problems/account-not-found"
        assert nothing.json()["type"] == "/problems/role-not-found"

    async def test_gives_an_erased_account_nothing(
        self, client, everything, an_account, database, clock
    ):
        account_id = await an_account()
        async with database.transaction() as tx:
            await accounts.erase(tx, account_id, clock())

        answer = await client.put(
            f"/v1/users/{account_id}/roles/support", headers=everything
        )

        assert answer.json()["type"] == "/problems/account-erased"


class TestRevoke:
    async def test_takes_a_role_once_and_records_it(
        self, client, everything, an_account, recorded
    ):
        path = f"/v1/users/{await an_account('support')}/roles/support"
        for _ in range(2):
            assert (await client.delete(path, headers=everything)).status_code == 204

        assert await recorded() == [("role.revoked", {"role": "support"})]

    async def test_is_refused_for_an_account_that_may_more(
        self, client, an_operator, an_account
    ):
        path = f"/v1/users/{await an_account('finance', 'support')}/roles/support"
        headers = await an_operator("roles:write", *KEY_SCOPES - {"audit:read"})

        answer = await client.delete(path, headers=headers)

        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/account-may-more"
        assert answer.json()["missing"] == ["audit:read"]

    async def test_keeps_the_last_admin(self, client, everything, an_account):
        last, path = await an_account("admin"), "/v1/users/{}/roles/admin"
        refused = await client.delete(path.format(last), headers=everything)
        await an_account("admin")
        taken = await client.delete(path.format(last), headers=everything)

        assert refused.status_code == 409
        assert refused.json()["type"] == "/problems/last-admin"
        assert refused.json()["account_id"] == str(last)
        assert taken.status_code == 204

    async def test_says_what_there_is_not(self, client, everything, an_account):
        nobody = await client.delete(
            f"/v1/users/{new_id()}/roles/support", headers=everything
        )
        nothing = await client.delete(
            f"/v1/users/{await an_account()}/roles/king", headers=everything
        )

        assert nobody.json()["type"] == "/problems/account-not-found"
        assert nothing.json()["type"] == "/problems/role-not-found"
