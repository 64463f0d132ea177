"""What somebody who signed in sees and says of themselves."""

import pytest
from cases import cases


class TestShow:
    async def test_says_who_they_are(self, client, signed_in):
        ada = await signed_in("support", email="ada@example.com")

        answer = await client.get("/v1/me", headers=ada.headers)

        me = answer.json()
        assert answer.status_code == 200
        assert me["account_id"] == str(ada.account_id)
        assert (me["email"], me["email_verified"]) == ("ada@example.com", True)
        assert me["roles"] == ["customer", "support"]
        assert (me["status"], me["second_factor"]) == ("active", False)
        assert me["given_name"] is me["marketing"] is None

    async def test_is_for_people_alone(self, client, an_operator):
        key = await an_operator("customers:read", "users:write")

        answer = await client.get("/v1/me", headers=key)

        assert answer.status_code == 403
        assert answer.json()["scope"] == "account:read"

    async def test_is_not_for_a_token_without_the_scope(self, client, signed_in):
        ada = await signed_in(scopes=["orders:own"])

        answer = await client.get("/v1/me", headers=ada.headers)

        assert answer.status_code == 403


class TestChange:
    async def test_keeps_what_is_absent_and_clears_what_is_null(
        self, client, signed_in
    ):
        ada = await signed_in()
        first = {
            "given_name": " Ada ",
            "family_name": "Lovelace",
            "locale": "en-gb",
            "currency": "GBP",
            "time_zone": "Europe/London",
        }
        await client.patch("/v1/me", json=first, headers=ada.headers)

        answer = await client.patch(
            "/v1/me",
            json={"phone": "020 7946 0018", "family_name": None},
            headers=ada.headers,
        )

        me = answer.json()
        assert answer.status_code == 200, me
        assert (me["given_name"], me["family_name"]) == ("Ada", None)
        assert (me["locale"], me["phone"]) == ("en-GB", "+442079460018")
        assert (me["currency"], me["time_zone"]) == ("GBP", "Europe/London")
        assert (await client.get("/v1/me", headers=ada.headers)).json() == me

    async def test_reads_a_national_number_by_where_things_are_sent(
        self, client, signed_in
    ):
        ada = await signed_in()
        home = {
            "name": "Ada",
            "line1": "1",
            "city": "Berlin",
            "postal_code": "10115",
            "country": "DE",
            "default_shipping": True,
        }
        await client.post("/v1/me/addresses", json=home, headers=ada.headers)

        answer = await client.patch(
            "/v1/me", json={"phone": "030 901820"}, headers=ada.headers
        )

        assert answer.json()["phone"] == "+4930901820"

    async def test_keeps_when_and_where_marketing_was_agreed_to(
        self, client, signed_in, clock
    ):
        ada = await signed_in()
        said = {"granted": True, "source": "checkout"}
        await client.patch("/v1/me", json={"marketing": said}, headers=ada.headers)
        clock.advance(seconds=60)

        answer = await client.patch(
            "/v1/me", json={"marketing": {"granted": False}}, headers=ada.headers
        )

        consent = answer.json()["marketing"]
        assert (consent["granted"], consent["source"]) == (False, "account_page")
        assert consent["said_at"].startswith("2026-11-27T08:01:00")

    async def test_of_a_program_that_is_not_the_shops_own_names_the_program(
        self, client, signed_in, database
    ):
        ada = await signed_in()
        await database.fetch("UPDATE oauth_clients SET first_party = false")
        said = {"granted": True, "source": "checkout"}

        answer = await client.patch(
            "/v1/me", json={"marketing": said}, headers=ada.headers
        )

        assert answer.json()["marketing"]["source"] == f"api:{ada.client_id}"

    @cases(
        "field",
        [
            "roles",
            "status",
            "email",
            "email_verified",
            "email_verified_at",
            "account_id",
            "id",
            "password",
            "has_password",
            "second_factor",
            "scopes",
            "created_at",
            "source",
        ],
    )
    async def test_refuses_what_is_not_theirs_to_say(self, client, signed_in, field):
        ada = await signed_in()
        before = (await client.get("/v1/me", headers=ada.headers)).json()

        answer = await client.patch(
            "/v1/me", json={"given_name": "Eve", field: "admin"}, headers=ada.headers
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/{field}"
        assert (await client.get("/v1/me", headers=ada.headers)).json() == before

    @cases(
        ("body", "pointer"),
        [
            ({"given_name": "x" * 10_000}, "/given_name"),
            ({"given_name": "Ada\x00"}, "/given_name"),
            ({"given_name": "Ada\u202e"}, "/given_name"),
            ({"given_name": ""}, "/given_name"),
            ({"phone": "1" * 10_000}, "/phone"),
            ({"phone": "020 7946 0018"}, "/phone"),
            ({"locale": "xx"}, "/locale"),
            ({"locale": "e" * 10_000}, "/locale"),
            ({"currency": "XXX"}, "/currency"),
            ({"time_zone": "Europe/Atlantis"}, "/time_zone"),
            ({"time_zone": "../../etc/passwd"}, "/time_zone"),
            ({"marketing": True}, "/marketing"),
            ({"marketing": {"granted": True, "source": "x"}}, "/marketing/source"),
        ],
    )
    async def test_names_the_field_at_fault(self, client, signed_in, body, pointer):
        ada = await signed_in()

        answer = await client.patch("/v1/me", json=body, headers=ada.headers)

        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


class TestOrders:
    @pytest.fixture
    async def attached(self, shop, buy):
        """Give somebody orders that were placed under their address."""
        from holdfast.domain import accounts, ordering  # noqa: PLC0415

        async def give(account_id, email, *, count):
            orders = [(await buy(email=email)).order for _ in range(count)]
            async with shop.db.transaction() as tx:
                await ordering.attach(
                    tx,
                    email_index=accounts.email_index(shop.vault, email),
                    account_id=account_id,
                )
            return [str(order.id) for order in orders]

        return give

    async def test_lists_ones_own_newest_first(self, client, signed_in, attached):
        ada = await signed_in()
        eve = await signed_in()
        ids = await attached(ada.account_id, "ada@example.com", count=3)
        await attached(eve.account_id, "eve@example.com", count=1)

        first = (await client.get("/v1/me/orders?limit=2", headers=ada.headers)).json()
        rest = await client.get(
            f"/v1/me/orders?after={first['next']}", headers=ada.headers
        )

        seen = [order["id"] for order in first["items"] + rest.json()["items"]]
        assert seen == ids[::-1]
