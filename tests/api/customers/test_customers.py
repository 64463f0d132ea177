"""Customers as operators see and change them."""

from cases import cases

from holdfast.kernel.ids import new_id

PATH = "/v1/customers"


class TestBrowse:
    async def test_visits_each_once_newest_first(self, client, signed_in, operator):
        ids = [str((await signed_in()).account_id) for _ in range(5)]

        seen, path = [], f"{PATH}?limit=2"
        while path:
            answer = await client.get(path, headers=operator)
            seen += [customer["id"] for customer in answer.json()["items"]]
            path = answer.links.get("next", {}).get("url")

        assert seen == ids[::-1]

    async def test_finds_one_by_the_whole_address_in_any_case(
        self, client, signed_in, operator
    ):
        ada = await signed_in(email="Ada@Example.com")
        await signed_in(email="eve@example.com")

        found = await client.get(f"{PATH}?email=ada@example.COM", headers=operator)
        part = await client.get(f"{PATH}?email=ada@example", headers=operator)

        (customer,) = found.json()["items"]
        assert customer["id"] == str(ada.account_id)
        assert part.json()["items"] == []


class TestCreate:
    async def test_makes_an_account_that_waits_for_its_owner(
        self, client, operator, database
    ):
        body = {
            "email": "ada@example.com",
            "given_name": "Ada",
            "locale": "en-GB",
            "marketing": True,
        }

        answer = await client.post(PATH, json=body, headers=operator)

        made = answer.json()
        assert answer.status_code == 201, made
        assert answer.headers["Location"] == f"{PATH}/{made['id']}"
        assert (made["email"], made["email_verified"]) == ("ada@example.com", False)
        assert made["marketing"]["source"].startswith("operator:")
        found = await client.get(f"{PATH}/{made['id']}", headers=operator)
        assert found.json() == made
        kinds = await database.fetch("SELECT kind FROM security_events")
        assert "account.created" in [row["kind"] for row in kinds]

    async def test_refuses_an_address_that_has_an_account(
        self, client, operator, signed_in, database
    ):
        await signed_in(email="ada@example.com")

        answer = await client.post(
            PATH, json={"email": "ADA@example.com"}, headers=operator
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/email-taken"
        assert await database.fetchval("SELECT count(*) FROM accounts") == 1

    async def test_refused_for_a_field_makes_nothing(self, client, operator, database):
        body = {"email": "ada@example.com", "phone": "12"}

        answer = await client.post(PATH, json=body, headers=operator)

        assert answer.status_code == 422
        assert await database.fetchval("SELECT count(*) FROM accounts") == 0

    @cases("field", ["roles", "status", "email_verified", "password", "id", "scopes"])
    async def test_refuses_what_is_not_for_this_route(self, client, operator, field):
        body = {"email": "ada@example.com", field: ["admin"]}

        answer = await client.post(PATH, json=body, headers=operator)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/{field}"


class TestChange:
    async def test_writes_and_names_who_said_it(self, client, signed_in, operator):
        ada = await signed_in()

        answer = await client.patch(
            f"{PATH}/{ada.account_id}",
            json={"family_name": "Lovelace", "marketing": False},
            headers=operator,
        )

        assert answer.json()["family_name"] == "Lovelace"
        assert answer.json()["marketing"]["source"].startswith("operator:")
        me = (await client.get("/v1/me", headers=ada.headers)).json()
        assert me["family_name"] == "Lovelace"

    async def test_of_nobody_is_not_there(self, client, operator):
        answer = await client.patch(
            f"{PATH}/{new_id()}", json={"given_name": "x"}, headers=operator
        )

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/customer-not-found"


class TestOrders:
    async def test_of_nobody_is_not_there(self, client, operator):
        answer = await client.get(f"{PATH}/{new_id()}/orders", headers=operator)

        assert answer.status_code == 404

    async def test_lists_those_of_the_customer_alone(
        self, client, signed_in, operator, buy, shop
    ):
        ada, eve = await signed_in(), await signed_in()
        for person in (ada, eve):
            bought = await buy(email=f"{person.account_id}@example.com")
            await shop.db.fetch(
                "UPDATE orders SET account_id = $1 WHERE id = $2",
                person.account_id,
                bought.order.id,
            )

        answer = await client.get(f"{PATH}/{ada.account_id}/orders", headers=operator)

        (order,) = answer.json()["items"]
        assert order["email"] == f"{ada.account_id}@example.com"
