import pytest
from cases import cases
from relying import recorded, registered, somebody

from holdfast.domain.identity import KEY_SCOPES
from holdfast.kernel import tokens

__all__ = ["recorded", "registered", "somebody"]

NEW = {
    "name": "Bookkeeper",
    "kind": "confidential",
    "redirect_uris": ["https://books.example/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scopes": ["openid", "orders:own", "orders:read"],
}


@pytest.fixture
async def everything(an_operator):
    return await an_operator(*KEY_SCOPES)


@pytest.fixture
async def made(client, everything):
    answer = await client.post("/v1/clients", headers=everything, json=NEW)
    return answer.raise_for_status().json()


class TestCreate:
    async def test_shows_the_secret_once(self, client, everything, made, recorded):
        path = f"/v1/clients/{made['id']}"
        shown = await client.get(path, headers=everything)
        listed = await client.get("/v1/clients", headers=everything)

        assert tokens.plausible(made["secret"], tokens.CLIENT_SECRET)
        assert made["secret"] not in shown.text + listed.text
        assert shown.json() == {k: v for k, v in made.items() if k != "secret"}
        assert shown.json().items() >= NEW.items()
        assert listed.json()["items"] == [shown.json()]
        assert (await recorded())[-1] == "client.created"

    async def test_gives_a_public_client_no_secret(self, client, everything):
        answer = await client.post(
            "/v1/clients", headers=everything, json={**NEW, "kind": "public"}
        )

        assert answer.status_code == 201
        assert answer.json()["secret"] is None

    async def test_gives_nobody_more_than_the_giver_has(self, client, an_operator):
        headers = await an_operator("clients:write")

        answer = await client.post("/v1/clients", headers=headers, json=NEW)

        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/scope-not-held"
        assert answer.json()["missing"] == ["orders:read"]

    async def test_may_be_given_what_people_hold_themselves(self, client, an_operator):
        headers = await an_operator("clients:write")
        mine = {**NEW, "scopes": ["openid", "email", "orders:own", "account:write"]}

        answer = await client.post("/v1/clients", headers=headers, json=mine)

        assert answer.status_code == 201

    async def test_refuses_scopes_that_do_not_exist(self, client, everything):
        answer = await client.post(
            "/v1/clients", headers=everything, json={**NEW, "scopes": ["all"]}
        )

        assert answer.json()["type"] == "/problems/unknown-scopes"

    @cases(
        ("changed", "pointers"),
        [
            ({"redirect_uris": []}, ["/redirect_uris"]),
            (
                {"redirect_uris": ["http://a.example/", "https://b.example/", "x"]},
                ["/redirect_uris/0", "/redirect_uris/2"],
            ),
            ({"grant_types": ["refresh_token"]}, ["/grant_types"]),
            (
                {"kind": "public", "grant_types": ["client_credentials"]},
                ["/grant_types", "/scopes"],
            ),
            ({"grant_types": ["client_credentials"]}, ["/scopes"]),
        ],
    )
    async def test_names_every_contradiction(
        self, client, everything, changed, pointers
    ):
        answer = await client.post(
            "/v1/clients", headers=everything, json={**NEW, **changed}
        )

        assert answer.json()["type"] == "/problems/client-invalid"
        assert [fault["pointer"] for fault in answer.json()["errors"]] == pointers

    @cases(
        "body",
        [
            {**NEW, "id": "mine"},
            {**NEW, "secret": "mine"},
            {**NEW, "kind": "other"},
            {**NEW, "grant_types": ["password"]},
            {**NEW, "grant_types": []},
            {**NEW, "scopes": []},
            {**NEW, "name": ""},
        ],
    )
    async def test_refuses_what_is_no_client(self, client, everything, body):
        answer = await client.post("/v1/clients", headers=everything, json=body)

        assert answer.json()["type"] == "/problems/invalid-request"


class TestBrowse:
    async def test_leads_through_all_newest_first(self, client, everything):
        for n in range(3):
            await client.post(
                "/v1/clients", headers=everything, json={**NEW, "name": f"{n}"}
            )

        first = await client.get("/v1/clients?limit=2", headers=everything)
        rest = await client.get(first.links["next"]["url"], headers=everything)

        items = first.json()["items"] + rest.json()["items"]
        assert [item["name"] for item in items] == ["2", "1", "0"]


class TestChange:
    async def test_changes_what_is_named(self, client, everything, made, recorded):
        path, changes = (
            f"/v1/clients/{made['id']}",
            {"name": "Books", "scopes": ["openid"]},
        )

        answer = await client.patch(path, headers=everything, json=changes)

        assert answer.status_code == 200
        assert answer.json()["name"] == "Books"
        assert answer.json()["scopes"] == ["openid"]
        assert answer.json()["redirect_uris"] == NEW["redirect_uris"]
        assert (await recorded())[-1] == "client.changed"

    async def test_to_what_it_is_already_does_nothing(
        self, client, everything, made, recorded
    ):
        path = f"/v1/clients/{made['id']}"

        answer = await client.patch(
            path, headers=everything, json={"name": made["name"]}
        )

        assert answer.json()["updated_at"] == made["updated_at"]
        assert (await recorded())[-1] == "client.created"

    async def test_takes_every_scope_that_the_client_has(
        self, client, an_operator, made
    ):
        # Or else its codes could be sent to whoever may do less than it.
        headers = await an_operator("clients:write")
        changes = {"redirect_uris": ["https://evil.example/"]}

        for body in (changes, {**changes, "scopes": ["openid"]}):
            answer = await client.patch(
                f"/v1/clients/{made['id']}", headers=headers, json=body
            )
            assert answer.json()["type"] == "/problems/scope-not-held"

    async def test_of_nobody_says_so(self, client, everything):
        answer = await client.patch("/v1/clients/x", headers=everything, json={})

        assert answer.json() == {
            **answer.json(),
            "type": "/problems/client-not-found",
            "client_id": "x",
        }


class TestDisable:
    async def test_is_for_good_and_may_be_done_again(
        self, client, everything, made, recorded
    ):
        path = f"/v1/clients/{made['id']}"
        for _ in range(2):
            assert (await client.delete(path, headers=everything)).status_code == 204

        shown = (await client.get(path, headers=everything)).json()
        assert shown["disabled_at"] is not None
        assert (await recorded()).count("client.disabled") == 1


class TestSecret:
    async def test_is_changed_and_shown_once(self, client, everything, made, recorded):
        path = f"/v1/clients/{made['id']}/secret"

        answer = await client.post(path, headers=everything)

        assert answer.status_code == 200
        assert answer.json()["secret"] != made["secret"]
        assert (await recorded())[-1] == "client.secret_rotated"

    async def test_is_not_for_whoever_may_do_less(self, client, an_operator, made):
        headers = await an_operator("clients:write")

        answer = await client.post(f"/v1/clients/{made['id']}/secret", headers=headers)

        assert answer.json()["type"] == "/problems/scope-not-held"

    async def test_of_a_public_client_there_is_none(
        self, client, everything, registered
    ):
        app = await registered(kind="public")

        answer = await client.post(f"/v1/clients/{app.id}/secret", headers=everything)

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/client-has-no-secret"


class TestConsents:
    @pytest.fixture
    async def app(self, registered):
        scopes = ("account:read", "account:write", "openid", "offline_access")
        return await registered(scopes=scopes)

    @pytest.fixture
    async def person(self, somebody):
        return await somebody()

    @pytest.fixture
    async def headers(self, app, person):
        said = await app.sign_in(person)
        return {"Authorization": f"Bearer {said['access_token']}"}

    async def test_are_ones_own(self, client, app, headers, registered, somebody):
        other = await registered()
        await other.sign_in(await somebody())

        answer = await client.get("/v1/me/consents", headers=headers)

        (consent,) = answer.json()["items"]
        assert consent["client_id"] == app.id
        assert consent["client_name"] == "Bookkeeper"
        assert set(consent["scopes"]) == set(app.client.scopes)

    async def test_can_be_taken_back(self, client, app, headers, person, recorded):
        said = await app.sign_in(person)
        waiting = await app.code(person)

        answer = await client.delete(f"/v1/me/consents/{app.id}", headers=headers)

        assert answer.status_code == 204
        assert (await app.refresh(said["refresh_token"])).status_code == 400
        assert (await app.redeem(waiting)).status_code == 400
        assert (await recorded())[-1] == "consent.revoked"

    async def test_that_were_never_given_cannot_be_taken_back(
        self, client, headers, registered
    ):
        other = await registered()

        answer = await client.delete(f"/v1/me/consents/{other.id}", headers=headers)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/consent-not-found"

    async def test_are_nothing_for_keys(self, client, an_operator):
        headers = await an_operator("clients:read")

        answer = await client.get("/v1/me/consents", headers=headers)

        assert answer.json()["scope"] == "account:read"
