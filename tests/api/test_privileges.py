"""Nobody becomes more, or makes anybody more, than they may."""

import pytest
from cases import cases

from holdfast.domain.identity import KEY_SCOPES, SCOPES


@pytest.fixture
async def a_manager(client, an_operator, signed_in):
    """Somebody who may manage accounts and roles, and little else."""
    everything = await an_operator(*KEY_SCOPES)
    role = {
        "name": "office",
        "title": "Office",
        "scopes": ["roles:read", "roles:write", "users:read", "users:write"],
    }
    await client.post("/v1/roles", headers=everything, json=role)
    return await signed_in("office")


class TestAManager:
    async def test_cannot_become_an_admin(self, client, a_manager):
        path = f"/v1/users/{a_manager.account_id}/roles/admin"

        answer = await client.put(path, headers=a_manager.headers)

        assert answer.status_code == 403
        assert "audit:read" in answer.json()["missing"]

    async def test_cannot_widen_their_own_role(self, client, a_manager):
        for scope in sorted(KEY_SCOPES - {"roles:read", "roles:write"}):
            answer = await client.patch(
                "/v1/roles/office",
                headers=a_manager.headers,
                json={"scopes": ["roles:write", scope]},
            )
            assert answer.status_code == (200 if scope[:6] == "users:" else 403), scope

    async def test_cannot_make_a_role_or_a_key_that_may_more(self, client, a_manager):
        role = {"name": "kings", "title": "Kings", "scopes": ["keys:write"]}
        made = await client.post("/v1/roles", headers=a_manager.headers, json=role)
        key = {"name": "x", "scopes": ["users:write"]}
        keyed = await client.post("/v1/api-keys", headers=a_manager.headers, json=key)

        assert made.json()["type"] == "/problems/scope-not-held"
        assert keyed.json()["type"] == "/problems/missing-scope"

    async def test_cannot_touch_an_admin(self, client, a_manager, signed_in):
        admins = [await signed_in("admin") for _ in range(2)]
        path = f"/v1/users/{admins[0].account_id}"

        answers = [
            await client.delete(f"{path}/roles/admin", headers=a_manager.headers),
            await client.patch(
                path, headers=a_manager.headers, json={"status": "disabled"}
            ),
            await client.delete(path, headers=a_manager.headers),
        ]

        assert [a.json()["type"] for a in answers] == ["/problems/account-may-more"] * 3
        still = await client.get("/v1/roles", headers=admins[0].headers)
        assert still.status_code == 200

    async def test_can_do_their_work(self, client, a_manager, signed_in):
        colleague = await signed_in()
        path = f"/v1/users/{colleague.account_id}"

        given = await client.put(f"{path}/roles/office", headers=a_manager.headers)
        taken = await client.delete(f"{path}/roles/office", headers=a_manager.headers)
        closed = await client.patch(
            path, headers=a_manager.headers, json={"status": "disabled"}
        )

        assert (given.status_code, taken.status_code) == (204, 204)
        assert closed.status_code == 200


class TestAToken:
    async def test_holds_no_more_than_its_session_was_given(self, client, signed_in):
        admin = await signed_in("admin", scopes=["account:read", "roles:read"])

        read = await client.get("/v1/roles", headers=admin.headers)
        written = await client.post("/v1/roles", headers=admin.headers, json={})

        assert read.status_code == 200
        assert written.status_code == 403
        assert written.json()["scope"] == "roles:write"

    async def test_holds_no_more_than_the_roles_of_its_owner(self, client, signed_in):
        person = await signed_in(scopes=SCOPES)

        answer = await client.get("/v1/orders", headers=person.headers)

        assert answer.json()["scope"] == "orders:read"


class TestRoleChanges:
    @pytest.mark.parametrize("how", ["revoke", "narrow"])
    async def test_take_effect_within_five_seconds(
        self, client, an_operator, signed_in, clock, how
    ):
        everything = await an_operator(*KEY_SCOPES)
        role = {"name": "readers", "title": "Readers", "scopes": ["orders:read"]}
        await client.post("/v1/roles", headers=everything, json=role)
        person = await signed_in("readers")
        before = await client.get("/v1/orders", headers=person.headers)

        if how == "revoke":
            path = f"/v1/users/{person.account_id}/roles/readers"
            await client.delete(path, headers=everything)
        else:
            await client.patch(
                "/v1/roles/readers", headers=everything, json={"scopes": []}
            )
        clock.advance(seconds=5)
        after = await client.get("/v1/orders", headers=person.headers)

        assert (before.status_code, after.status_code) == (200, 403)

    async def test_that_give_more_do_so_too(
        self, client, an_operator, signed_in, clock
    ):
        everything = await an_operator(*KEY_SCOPES)
        person = await signed_in()
        before = await client.get("/v1/orders", headers=person.headers)

        path = f"/v1/users/{person.account_id}/roles/fulfilment"
        await client.put(path, headers=everything)
        clock.advance(seconds=5)
        after = await client.get("/v1/orders", headers=person.headers)

        assert (before.status_code, after.status_code) == (403, 200)


class TestMassAssignment:
    @cases(
        "extra",
        [
            {"roles": ["admin"]},
            {"role": "admin"},
            {"scopes": ["roles:write"]},
            {"built_in": False},
            {"account_id": "01943a00-0000-7000-8000-000000000001"},
            {"status": "active"},
            {"is_admin": True},
        ],
    )
    @cases("method_and_path", ["PATCH /v1/me", "POST /v1/accounts"])
    async def test_of_what_is_not_theirs_is_refused(
        self, client, signed_in, method_and_path, extra
    ):
        person = await signed_in()
        method, path = method_and_path.split()
        body = {"given_name": "Ada"} if method == "PATCH" else {"email": "a@b.example"}

        answer = await client.request(
            method, path, headers=person.headers, json={**body, **extra}
        )

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"

    async def test_of_roles_by_a_query_is_refused(self, client, signed_in):
        person = await signed_in()

        answer = await client.patch(
            "/v1/me?role=admin", headers=person.headers, json={"given_name": "Ada"}
        )

        assert answer.status_code == 422
