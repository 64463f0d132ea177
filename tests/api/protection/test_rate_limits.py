"""Operators change limits while the shop runs; everybody sees their own."""

import pytest
from cases import cases

from holdfast.api.protection.policies import BUILT_IN, MOST_POLICIES
from holdfast.kernel.ids import new_id
from holdfast.platform import controls
from holdfast.platform.settings import Settings

PATH = "/v1/protection/rate-limits"
WHOLESALE = {"tokens": 300, "period_seconds": 1, "burst": 900, "plan": "wholesale"}


@pytest.fixture
def settings(settings):
    """The shop's settings with the limits that come with it."""
    return Settings.read({**settings.raw, "HOLDFAST_RATE_LIMITS": ""})


@pytest.fixture
async def operator(an_operator):
    return await an_operator("protection:read", "protection:write")


@pytest.fixture
def put(client, operator):
    async def send(name, path=PATH, **said):
        wanted = {"tokens": 7, "period_seconds": 60, "burst": 70, **said}
        return await client.put(f"{path}/{name}", json=wanted, headers=operator)

    return send


class TestBrowse:
    async def test_lists_what_comes_with_the_shop(self, client, operator):
        listed = (await client.get(PATH, headers=operator)).json()["items"]

        assert [item["name"] for item in listed] == [p.name for p in BUILT_IN]
        assert listed[4] == {
            "name": "customer",
            "applies_to": "customers, by account",
            "plan": None,
            "client_id": None,
            "tokens": 20,
            "period_seconds": 1,
            "burst": 100,
            "counted": "shop",
            "strict": False,
            "enabled": True,
            "shadow": False,
            "built_in": True,
            "changed_by": None,
            "changed_at": None,
        }


class TestPut:
    async def test_changes_a_limit_at_once(self, client, put, clock):
        answer = await put("guest", tokens=3, period_seconds=3600, burst=50)

        assert answer.status_code == 200
        said = answer.json()
        assert (said["tokens"], said["burst"]) == (3, 50)
        assert said["changed_by"].startswith("key:")
        assert said["changed_at"] == clock().isoformat().replace("+00:00", "Z")
        body = {"email": "ada@example.com"}
        seen = [
            (await client.post("/v1/carts", json={})).status_code for _ in range(12)
        ]
        assert seen == [201] * 10 + [429] * 2
        assert (await client.post("/v1/accounts", json=body)).status_code == 202

    async def test_switches_a_limit_off(self, client, put):
        await put("guest", tokens=1, period_seconds=3600, burst=50, enabled=False)

        seen = {
            (await client.post("/v1/carts", json={})).status_code for _ in range(12)
        }

        assert seen == {201}

    async def test_in_shadow_counts_and_refuses_nobody(self, client, put, shop):
        await put("guest", tokens=1, period_seconds=3600, burst=50, shadow=True)

        seen = {
            (await client.post("/v1/carts", json={})).status_code for _ in range(12)
        }

        assert seen == {201}
        counted = shop.metrics.expose().decode()
        assert (
            'holdfast_ratelimit_decisions_total{outcome="shadow_denied",'
            'policy="guest",role="guest",route_class="write"} 2.0'
        ) in counted

    async def test_makes_one_for_a_plan(self, client, put, operator):
        answer = await client.put(f"{PATH}/wholesale", json=WHOLESALE, headers=operator)

        assert answer.status_code == 200
        assert answer.json()["built_in"] is False
        assert answer.json()["applies_to"] == "callers on the plan wholesale"

    async def test_is_in_the_security_record(self, client, put, an_operator):
        await put("guest")

        events = await client.get(
            "/v1/security-events?kind=protection.changed",
            headers=await an_operator("audit:read"),
        )

        (event,) = events.json()["items"]
        assert event["detail"]["control"] == "rate.policy.guest"
        assert '"burst":70' in event["detail"]["to"]

    @cases(
        ("name", "said", "pointer"),
        [
            ("guest", {"tokens": 0}, "/tokens"),
            ("guest", {"burst": 10**10}, "/burst"),
            ("guest", {"burst": 49}, "/burst"),
            ("guest", {"period_seconds": 0}, "/period_seconds"),
            ("guest", {"plan": "wholesale"}, "/plan"),
            ("guest", {"tokens": 2_000_000, "period_seconds": 1}, "/tokens"),
            ("guest", {"tokens": 1, "period_seconds": 31_536_000}, None),
            ("credentials", {"shadow": True}, "/shadow"),
            ("own", {}, "/plan"),
            ("own", {"plan": "a", "client_id": "b"}, "/plan"),
            ("own", {"plan": "A"}, "/plan"),
            ("Own", {"plan": "a"}, "name"),
            ("guest", {"unknown": 1}, None),
        ],
    )
    async def test_refuses_what_cannot_be(self, put, faults, name, said, pointer):
        if said == {"tokens": 1, "period_seconds": 31_536_000}:
            said = {**said, "burst": 1_000_000}
            pointer = "/tokens"

        found = faults(await put(name, **said))

        assert pointer is None or found == [pointer]

    async def test_of_attempts_may_be_as_few_as_one(self, put):
        assert (await put("credentials", burst=1, tokens=1)).status_code == 200

    async def test_has_an_end(self, database, put, clock):
        async with database.transaction() as tx:
            for number in range(MOST_POLICIES):
                await controls.put(
                    *(tx, f"rate.policy.own-{number}", WHOLESALE),
                    by="test",
                    at=clock(),
                )

        assert (await put("own-0", plan="wholesale")).status_code == 200
        answer = await put("one-more", plan="wholesale")
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/too-many-rate-limits"


class TestDelete:
    async def test_sets_back_what_comes_with_the_shop(self, client, put, operator):
        await put("guest")

        answer = await client.delete(f"{PATH}/guest", headers=operator)

        assert answer.status_code == 204
        shown = (await client.get(f"{PATH}/guest", headers=operator)).json()
        assert (shown["burst"], shown["changed_by"]) == (500, None)
        again = await client.delete(f"{PATH}/guest", headers=operator)
        assert again.status_code == 204

    async def test_takes_away_what_is_the_shops_own(self, client, put, operator):
        await put("wholesale", plan="wholesale")

        assert (
            await client.delete(f"{PATH}/wholesale", headers=operator)
        ).status_code == 204
        for send in (client.delete, client.get):
            answer = await send(f"{PATH}/wholesale", headers=operator)
            assert answer.json()["type"] == "/problems/rate-limit-not-found"


class TestPlans:
    @pytest.fixture
    async def key(self, client, an_operator):
        keys = await an_operator("keys:write", "keys:read")
        made = await client.post(
            "/v1/api-keys", json={"name": "ERP", "scopes": ["keys:read"]}, headers=keys
        )
        return made.json()["id"], {"Authorization": f"Bearer {made.json()['key']}"}

    async def names(self, client, headers):
        said = (await client.get("/v1/limits", headers=headers)).json()
        return said["role"], said["plan"], [x["policy"] for x in said["limits"]]

    async def test_give_a_key_other_limits(self, client, operator, key):
        key_id, headers = key
        assert await self.names(client, headers) == ("key", None, ["key", "address"])

        answer = await client.put(
            f"/v1/protection/plans/partner/keys/{key_id}", headers=operator
        )

        assert answer.status_code == 204
        assert await self.names(client, headers) == (
            "key",
            "partner",
            ["partner", "partner-daily", "address"],
        )
        (plan,) = (await client.get("/v1/protection/plans", headers=operator)).json()[
            "items"
        ]
        assert plan == {
            "plan": "partner",
            "limits": ["partner", "partner-daily"],
            "clients": [],
            "keys": [key_id],
        }

    async def test_are_left_again(self, client, operator, key):
        key_id, headers = key
        path = f"/v1/protection/plans/partner/keys/{key_id}"
        await client.put(path, headers=operator)

        for _ in range(2):
            assert (await client.delete(path, headers=operator)).status_code == 204

        assert (await self.names(client, headers))[1] is None

    async def test_give_a_client_other_limits(self, client, operator, signed_in):
        machine = await signed_in(scopes=["orders:read"])
        token = await machine.sign(account_id=None, session_id=None)
        headers = {"Authorization": f"Bearer {token}"}
        path = f"/v1/protection/plans/partner/clients/{machine.client_id}"

        assert (await client.put(path, headers=operator)).status_code == 204
        assert (await self.names(client, headers))[:2] == ("service", "partner")
        assert (await client.delete(path, headers=operator)).status_code == 204
        assert (await self.names(client, headers))[:2] == ("service", None)

    async def test_are_for_those_there_are(self, client, operator, key):
        for path, slug in (
            (f"partner/keys/{new_id()}", "api-key-not-found"),
            ("partner/clients/nobody", "client-not-found"),
            (f"gold/keys/{key[0]}", "plan-not-found"),
        ):
            answer = await client.put(f"/v1/protection/plans/{path}", headers=operator)
            assert answer.json()["type"] == f"/problems/{slug}"

    async def test_of_a_client_are_for_its_people_by_client_id(
        self, client, put, signed_in
    ):
        ada = await signed_in()
        await put("mobile-app", client_id=ada.client_id)

        assert await self.names(client, ada.headers) == (
            "customer",
            None,
            ["mobile-app", "address"],
        )


class TestOwnLimits:
    async def test_are_shown_and_not_taken_from(self, client, signed_in):
        ada = await signed_in()
        await client.get("/v1/me", headers=ada.headers)

        said = [
            (await client.get("/v1/limits", headers=ada.headers)).json()
            for _ in range(3)
        ]

        assert said[2]["role"] == "customer"
        burst, daily, address = said[2]["limits"]
        assert (burst["policy"], burst["limit"], burst["window_seconds"]) == (
            *("customer", 100),
            5,
        )
        assert burst["counted"] == "shop"
        assert (daily["policy"], daily["remaining"]) == ("customer-daily", 199_999)
        assert (address["policy"], address["counted"]) == ("address", "process")

    async def test_of_guests_are_those_of_their_address(self, client, opened):
        _, owner = await opened()

        said = (await client.get("/v1/limits", headers=owner)).json()

        assert said["role"] == "guest"
        assert [x["policy"] for x in said["limits"]] == [
            *("browsing", "guest", "cart", "address")
        ]
