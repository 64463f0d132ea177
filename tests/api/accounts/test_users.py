from typing import ClassVar

import pytest
from cases import cases

from holdfast.domain import accounts, identity
from holdfast.kernel.ids import new_id

BOB = {"email": "bob@example.com"}


@pytest.fixture
async def admin(an_operator):
    """Headers of a key that may do everything."""
    return await an_operator(*identity.KEY_SCOPES)


@pytest.fixture
async def bob(client, admin):
    answer = await client.post("/v1/users", json=BOB, headers=admin)
    assert answer.status_code == 201
    return answer.json()


class TestCreate:
    async def test_opens_an_account_and_sends_a_link(
        self, client, bob, deliver, token_in, shop
    ):
        assert bob["status"] == "active"
        assert bob["email_verified_at"] is None
        assert not bob["has_password"]
        (letter,) = await deliver()
        assert letter.subject == "Choose a password for your account"

        shop.clock.advance(hours=23)
        body = {"token": token_in(letter), "password": "scones for three"}
        done = await client.post("/v1/password-resets/confirm", json=body)

        assert done.status_code == 204
        found = await accounts.find_by_email(shop.db, shop.vault, BOB["email"])
        assert found is not None
        assert found.has_password
        assert found.email_verified_at is not None

    async def test_gives_the_roles_that_were_asked_for(self, client, admin, shop):
        body = {**BOB, "roles": ["support", "support"]}

        made = await client.post("/v1/users", json=body, headers=admin)

        found = await accounts.find_by_email(shop.db, shop.vault, BOB["email"])
        assert found is not None
        assert made.json()["id"] == str(found.id)
        roles = await identity.roles_of(shop.db, found.id)
        assert [role.name for role in roles] == ["customer", "support"]

    @pytest.mark.parametrize(
        ("scopes", "missing"),
        [
            (["users:write"], ["roles:write"]),
            (["users:write", "roles:write", "products:read"], None),
        ],
        ids=["not any", "not more than their own"],
    )
    async def test_gives_no_role_that_the_giver_may_not(
        self, client, an_operator, shop, scopes, missing
    ):
        headers = await an_operator(*scopes)
        body = {**BOB, "roles": ["admin"]}

        answer = await client.post("/v1/users", json=body, headers=headers)

        assert answer.json()["type"] == "/problems/scope-not-held"
        assert missing is None or answer.json()["missing"] == missing
        found = await accounts.find_by_email(shop.db, shop.vault, BOB["email"])
        assert found is None

    @cases(
        ("body", "type_"),
        [
            (BOB, "email-taken"),
            ({"email": "x@example.com", "roles": ["king"]}, "role-not-found"),
            ({"email": "x@example.com", "password": "pass word"}, "invalid-request"),
            ({"email": "x@example.com", "status": "active"}, "invalid-request"),
            ({"email": "x"}, "invalid-request"),
        ],
    )
    async def test_refuses_what_cannot_be(self, client, admin, bob, body, type_):
        answer = await client.post("/v1/users", json=body, headers=admin)

        assert answer.json()["type"] == f"/problems/{type_}"


class TestBrowse:
    async def test_pages_and_filters(self, client, admin, bob):
        other = await client.post(
            "/v1/users", json={"email": "eve@example.com"}, headers=admin
        )

        async def ids(**query):
            answer = await client.get("/v1/users", params=query, headers=admin)
            return [user["id"] for user in answer.json()["items"]]

        assert await ids() == [other.json()["id"], bob["id"]]
        assert await ids(email="BOB@example.com") == [bob["id"]]
        assert await ids(status="erased") == []
        first = await client.get("/v1/users", params={"limit": 1}, headers=admin)
        assert await ids(limit=1, after=first.json()["next"]) == [bob["id"]]

    async def test_needs_its_scope(self, client, an_operator):
        headers = await an_operator("orders:read")

        answer = await client.get("/v1/users", headers=headers)

        assert answer.json()["scope"] == "users:read"


class TestShow:
    async def test_shows_one_and_none_of_its_secrets(self, client, admin, bob):
        answer = await client.get(f"/v1/users/{bob['id']}", headers=admin)

        assert answer.json() == bob
        assert set(bob) == {
            *("id", "email", "status", "email_verified_at", "has_password"),
            *("second_factor", "created_at", "updated_at"),
        }

    async def test_of_nobody_is_not_found(self, client, admin):
        answer = await client.get(f"/v1/users/{new_id()}", headers=admin)

        assert answer.json()["type"] == "/problems/account-not-found"


class TestChange:
    async def test_disables_and_enables(self, client, admin, signed_in):
        member = await signed_in()
        path = f"/v1/users/{member.account_id}"

        closed = await client.patch(path, json={"status": "disabled"}, headers=admin)
        opened = await client.patch(path, json={"status": "active"}, headers=admin)

        assert closed.json()["status"] == "disabled"
        assert opened.json()["status"] == "active"

    async def test_ends_the_sessions_and_says_who_did_it(
        self, client, admin, signed_in, shop
    ):
        member = await signed_in()

        await client.patch(
            f"/v1/users/{member.account_id}",
            json={"status": "disabled"},
            headers=admin,
        )

        assert not await accounts.sessions_of(
            shop.db, shop.vault, member.account_id, shop.clock()
        )
        page = await identity.events(
            shop.db, shop.vault, account_id=member.account_id, after=None, limit=1
        )
        assert page.items[0].kind == "account.disabled"
        assert page.items[0].actor.startswith("key:")

    @pytest.mark.parametrize(
        "body",
        [{"status": "erased"}, {"email": "x@example.com"}, {}, {"roles": ["admin"]}],
        ids=["erased", "email", "nothing", "roles"],
    )
    async def test_changes_nothing_else(self, client, admin, bob, body):
        path = f"/v1/users/{bob['id']}"

        answer = await client.patch(path, json=body, headers=admin)

        assert answer.status_code == 422
        assert (await client.get(path, headers=admin)).json() == bob

    async def test_keeps_one_admin(self, client, admin, signed_in):
        member = await signed_in("admin")

        answer = await client.patch(
            f"/v1/users/{member.account_id}",
            json={"status": "disabled"},
            headers=admin,
        )

        assert answer.json()["type"] == "/problems/last-admin"

    async def test_takes_an_admin_who_was_only_invited_for_none(
        self, client, admin, signed_in
    ):
        member = await signed_in("admin")
        body = {**BOB, "roles": ["admin"]}
        (await client.post("/v1/users", json=body, headers=admin)).raise_for_status()

        answer = await client.delete(
            f"/v1/users/{member.account_id}/roles/admin", headers=member.headers
        )

        assert answer.json()["type"] == "/problems/last-admin"


class TestCorrectEmail:
    CORRECTED: ClassVar = {"email": "Robert@Example.COM"}

    async def test_of_a_customer_is_not_verified_until_they_say_so(
        self, client, admin, signed_up, deliver, token_in
    ):
        path = f"/v1/users/{await signed_up()}"

        answer = await client.put(f"{path}/email", json=self.CORRECTED, headers=admin)

        assert answer.status_code == 200
        assert answer.json()["email"] == "Robert@example.com"
        assert answer.json()["email_verified_at"] is None
        _, letter = await deliver()
        token = {"token": token_in(letter)}
        done = await client.post("/v1/email-changes/confirm", json=token)
        assert done.status_code == 204
        shown = (await client.get(path, headers=admin)).json()
        assert shown["email_verified_at"] is not None

    async def test_needs_its_scope(self, client, an_operator, signed_up):
        headers = await an_operator("users:read", "customers:write")
        path = f"/v1/users/{await signed_up()}/email"

        answer = await client.put(path, json=self.CORRECTED, headers=headers)

        assert answer.json()["scope"] == "users:write"

    async def test_of_who_works_here_is_their_own_affair(
        self, client, admin, signed_in
    ):
        member = await signed_in("admin")
        path = f"/v1/users/{member.account_id}/email"

        for headers in (admin, member.headers):
            answer = await client.put(path, json=self.CORRECTED, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["type"] == "/problems/account-of-staff"

    @pytest.mark.parametrize(
        ("body", "type_"),
        [
            ({"email": "bob@example.com"}, "email-taken"),
            ({"email": "bob"}, "invalid-request"),
            ({"email": None}, "invalid-request"),
            ({}, "invalid-request"),
            ({"email": "x@example.com", "verified": True}, "invalid-request"),
        ],
    )
    async def test_refuses_what_cannot_be(
        self, client, admin, bob, signed_up, deliver, body, type_
    ):
        await deliver()
        path = f"/v1/users/{await signed_up()}/email"

        answer = await client.put(path, json=body, headers=admin)

        assert answer.json()["type"] == f"/problems/{type_}"

    async def test_of_nobody_or_of_the_erased_is_refused(self, client, admin, bob):
        path = f"/v1/users/{bob['id']}"
        await client.delete(path, headers=admin)

        erased = await client.put(f"{path}/email", json=self.CORRECTED, headers=admin)
        nobody = await client.put(
            f"/v1/users/{new_id()}/email", json=self.CORRECTED, headers=admin
        )

        assert erased.json()["type"] == "/problems/account-erased"
        assert nobody.json()["type"] == "/problems/account-not-found"


class TestErase:
    async def test_forgets_who_it_was(self, client, admin, bob):
        path = f"/v1/users/{bob['id']}"

        done = await client.delete(path, headers=admin)

        assert (done.status_code, done.content) == (204, b"")
        left = (await client.get(path, headers=admin)).json()
        assert (left["status"], left["email"]) == ("erased", None)
        again = await client.patch(path, json={"status": "active"}, headers=admin)
        assert again.json()["type"] == "/problems/account-erased"
