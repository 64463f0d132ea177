"""Addresses over the API: one's own, and any for operators."""

import asyncio

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

HOME = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "sw1y 4jh",
    "country": "GB",
    "phone": "020 7946 0018",
}
OWN = "/v1/me/addresses"


class TestOwn:
    async def test_is_kept_as_it_should_be_written(self, client, signed_in):
        ada = await signed_in()

        answer = await client.post(OWN, json=HOME, headers=ada.headers)

        kept = answer.json()
        assert answer.status_code == 201, kept
        assert (kept["postal_code"], kept["phone"]) == ("SW1Y 4JH", "+442079460018")
        assert answer.headers["Location"] == f"{OWN}/{kept['id']}"
        found = await client.get(answer.headers["Location"], headers=ada.headers)
        assert found.json() == kept
        listed = await client.get(OWN, headers=ada.headers)
        assert listed.json() == {"items": [kept]}

    async def test_changes_what_is_sent_and_is_checked_as_a_whole(
        self, client, signed_in
    ):
        ada = await signed_in()
        kept = (await client.post(OWN, json=HOME, headers=ada.headers)).json()
        path = f"{OWN}/{kept['id']}"

        refused = await client.patch(path, json={"country": "US"}, headers=ada.headers)
        changed = await client.patch(
            path, json={"line2": "Flat 2", "phone": None}, headers=ada.headers
        )

        assert refused.status_code == 422
        assert refused.json()["type"] == "/problems/customer-address-invalid"
        assert {error["pointer"] for error in refused.json()["errors"]} == {
            "/region",
            "/postal_code",
        }
        assert (changed.json()["line2"], changed.json()["phone"]) == ("Flat 2", None)
        assert changed.json()["line1"] == HOME["line1"]

    async def test_a_default_moves(self, client, signed_in):
        ada = await signed_in()
        first = {**HOME, "default_shipping": True, "default_billing": True}
        one = (await client.post(OWN, json=first, headers=ada.headers)).json()
        two = (await client.post(OWN, json=HOME, headers=ada.headers)).json()

        await client.patch(
            f"{OWN}/{two['id']}", json={"default_shipping": True}, headers=ada.headers
        )

        items = (await client.get(OWN, headers=ada.headers)).json()["items"]
        defaults = {
            item["id"]: (item["default_shipping"], item["default_billing"])
            for item in items
        }
        assert defaults == {one["id"]: (False, True), two["id"]: (True, False)}

    async def test_two_defaults_wished_for_at_once_are_one(self, client, signed_in):
        ada = await signed_in()
        wish = {**HOME, "default_shipping": True, "default_billing": True}

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(client.post(OWN, json=wish, headers=ada.headers))
                for _ in range(6)
            ]

        assert {task.result().status_code for task in tasks} == {201}
        items = (await client.get(OWN, headers=ada.headers)).json()["items"]
        assert sum(item["default_shipping"] for item in items) == 1
        assert sum(item["default_billing"] for item in items) == 1

    async def test_is_removed_once(self, client, signed_in):
        ada = await signed_in()
        kept = (await client.post(OWN, json=HOME, headers=ada.headers)).json()
        path = f"{OWN}/{kept['id']}"

        first = await client.delete(path, headers=ada.headers)
        again = await client.delete(path, headers=ada.headers)

        assert (first.status_code, again.status_code) == (204, 404)

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    async def test_of_another_is_not_there(self, client, signed_in, method):
        ada, eve = await signed_in(), await signed_in()
        kept = (await client.post(OWN, json=HOME, headers=ada.headers)).json()
        body = {"json": {"name": "Eve"}} if method == "PATCH" else {}
        answers = [
            await client.request(
                method, f"{OWN}/{address_id}", headers=eve.headers, **body
            )
            for address_id in (kept["id"], new_id())
        ]

        assert [answer.status_code for answer in answers] == [404, 404]
        theirs, nobodys = (answer.json() for answer in answers)
        # Nothing tells another's from one that never was.
        for told in (theirs, nobodys):
            del told["address_id"], told["instance"]
        assert theirs == nobodys
        items = (await client.get(OWN, headers=ada.headers)).json()["items"]
        assert items == [kept]

    @cases("field", ["id", "account_id", "created_at", "roles"])
    async def test_refuses_what_is_not_theirs_to_say(self, client, signed_in, field):
        ada = await signed_in()

        answer = await client.post(OWN, json={**HOME, field: "x"}, headers=ada.headers)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/{field}"

    @cases("field", [name for name in HOME if name != "country"])
    async def test_refuses_ten_thousand_characters(self, client, signed_in, field):
        ada = await signed_in()

        answer = await client.post(
            OWN, json={**HOME, field: "x" * 10_000}, headers=ada.headers
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/{field}"

    async def test_says_nothing_of_it_in_the_log(self, client, signed_in, log):
        ada = await signed_in()

        await client.post(OWN, json=HOME, headers=ada.headers)
        await client.post(OWN, json={**HOME, "postal_code": "9"}, headers=ada.headers)

        assert "Lovelace" not in str(log())


class TestOperator:
    async def test_reads_and_changes_those_of_a_customer(
        self, client, signed_in, an_operator
    ):
        ada = await signed_in()
        operator = await an_operator("customers:read", "customers:write")
        path = f"/v1/customers/{ada.account_id}/addresses"

        made = await client.post(path, json=HOME, headers=operator)
        changed = await client.patch(
            made.headers["Location"],
            json={"default_billing": True},
            headers=operator,
        )

        assert made.status_code == 201
        assert changed.json()["default_billing"]
        items = (await client.get(OWN, headers=ada.headers)).json()["items"]
        assert items == [changed.json()]
        shown = await client.get(made.headers["Location"], headers=operator)
        assert shown.json() == changed.json()
        gone = await client.delete(made.headers["Location"], headers=operator)
        assert gone.status_code == 204

    async def test_of_nobody_is_not_there(self, client, an_operator):
        operator = await an_operator("customers:read", "customers:write")
        path = f"/v1/customers/{new_id()}/addresses"

        read = await client.get(path, headers=operator)
        made = await client.post(path, json=HOME, headers=operator)

        assert (read.status_code, made.status_code) == (404, 404)

    async def test_needs_the_scope(self, client, signed_in, an_operator):
        ada = await signed_in()
        operator = await an_operator("customers:read")
        path = f"/v1/customers/{ada.account_id}/addresses"

        as_operator = await client.post(path, json=HOME, headers=operator)
        as_customer = await client.get(path, headers=ada.headers)

        assert (as_operator.status_code, as_customer.status_code) == (403, 403)
        assert as_operator.json()["scope"] == "customers:write"
