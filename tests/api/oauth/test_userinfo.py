from dataclasses import replace

import pytest

from holdfast.domain import customers
from holdfast.domain.customers import Address, CustomerAddress
from holdfast.kernel.ids import new_id

EVERYTHING = ("openid", "profile", "email", "phone", "address", "orders:own")


@pytest.fixture
async def person(somebody):
    return await somebody()


@pytest.fixture
def userinfo(registered, person, client):
    """What userinfo says to a client that was granted these scopes."""

    async def ask(*scopes, method="GET"):
        app = await registered(scopes=EVERYTHING)
        said = await app.sign_in(person, scope=" ".join(scopes))
        headers = {"Authorization": f"Bearer {said['access_token']}"}
        return await client.request(method, "/oauth/userinfo", headers=headers)

    return ask


@pytest.fixture
async def at_home(shop, person, clock):
    """Give the person a phone and two addresses."""
    async with shop.db.transaction() as tx:
        known = await customers.lock(tx, shop.vault, person.account_id, at=clock())
        called = replace(known, phone="+442079460958", locale="en-GB", time_zone="UTC")
        await customers.change(tx, shop.vault, called, at=clock())
        for city, default in (("London", False), ("Leeds", True)):
            where = Address("Ada", "12 Main St", "GB", "Flat 1", city, None, "LS1 1BA")
            await customers.add_address(
                tx,
                shop.vault,
                CustomerAddress(
                    *(new_id(), person.account_id, where, default, False),
                    *(clock(), clock()),
                ),
            )


class TestUserinfo:
    async def test_says_who_it_is_and_no_more(self, userinfo, person):
        answer = await userinfo("openid", "orders:own")

        assert answer.json() == {"sub": str(person.account_id)}
        assert answer.headers["cache-control"] == "no-store"

    async def test_says_everything_that_was_granted(
        self, userinfo, person, at_home, clock
    ):
        answer = await userinfo(*EVERYTHING)

        assert answer.json() == {
            "sub": str(person.account_id),
            "email": person.email,
            "email_verified": True,
            "name": "Ada Lovelace",
            "given_name": "Ada",
            "family_name": "Lovelace",
            "locale": "en-GB",
            "zoneinfo": "UTC",
            "updated_at": int(clock().timestamp()),
            "phone_number": "+442079460958",
            "phone_number_verified": False,
            "address": {
                "street_address": "12 Main St\nFlat 1",
                "locality": "Leeds",
                "postal_code": "LS1 1BA",
                "country": "GB",
            },
        }

    async def test_leaves_out_what_nobody_knows(self, userinfo):
        answer = await userinfo("openid", "phone", "address")

        assert answer.json().keys() == {"sub"}

    async def test_answers_a_post_too(self, userinfo, person):
        answer = await userinfo("openid", "email", method="POST")

        assert answer.status_code == 200
        assert answer.json()["email"] == person.email

    async def test_wants_a_token(self, client):
        answer = await client.get("/oauth/userinfo")

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"

    async def test_wants_openid(self, userinfo):
        answer = await userinfo("email")

        assert answer.status_code == 403
        assert 'scope="openid"' in answer.headers["www-authenticate"]

    async def test_is_not_for_keys(self, client, an_operator):
        headers = await an_operator("users:read")

        answer = await client.get("/oauth/userinfo", headers=headers)

        assert answer.status_code == 403
