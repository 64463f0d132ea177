"""What is kept of a keyed request, for whom, and what is not."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from holdfast.api.app import serving
from holdfast.domain import accounts
from holdfast.kernel.errors import Conflict, OutcomeUnknown
from holdfast.platform import idempotency

CATEGORY = {"name": "Green tea"}


@pytest.fixture
async def at(shop):
    """A client that comes from an address."""
    opened = []

    def come_from(address):
        transport = httpx.ASGITransport(
            serving(shop), raise_app_exceptions=False, client=(address, 4711)
        )
        opened.append(
            httpx.AsyncClient(transport=transport, base_url="http://shop.test")
        )
        return opened[-1]

    yield come_from
    for client in opened:
        await client.aclose()


def replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


class TestRefusals:
    async def test_of_a_rule_are_not_kept(self, keyed, rows_of, client, world):
        taken = await client.post(
            "/v1/categories", json=CATEGORY, headers=world.operator
        )

        assert (await keyed()).status_code == 409
        assert (await keyed()).status_code == 409

        assert taken.status_code == 201
        assert await rows_of("key-1") == []

    async def test_become_an_answer_once_nothing_stands_in_the_way(
        self, keyed, client, world
    ):
        path = "/v1/inventory/NEW"
        level = {"on_hand": 3, "reason": "delivery"}
        assert (await keyed(path, level, method="PUT")).status_code == 404
        product = {
            "title": "New",
            "variants": [{"sku": "NEW", "price": {"amount": 1, "currency": "EUR"}}],
        }
        made = await client.post("/v1/products", json=product, headers=world.operator)
        assert made.status_code == 201

        done = await keyed(path, level, method="PUT")

        assert done.status_code == 200
        assert not replayed(done)

    @pytest.mark.parametrize(
        ("body", "status"), [({"name": 1}, 422), (None, 400), ({"nmae": "x"}, 422)]
    )
    async def test_of_what_cannot_be_read_claim_nothing(
        self, keyed, rows_of, body, status
    ):
        assert (await keyed(body=body)).status_code in (status, 415, 422)
        assert await rows_of("key-1") == []
        assert (await keyed()).status_code == 201

    async def test_of_who_may_not_claim_nothing(self, keyed, rows_of, an_operator):
        stranger = await an_operator("products:read")

        assert (await keyed(by=stranger)).status_code == 403
        assert (await keyed(by={})).status_code == 401
        assert await rows_of("key-1") == []

    async def test_a_crash_leaves_nothing(
        self, keyed, rows_of, monkeypatch, client, shop, promised
    ):
        real = idempotency.answer_alone

        def broken(*_, **__):
            raise ZeroDivisionError

        monkeypatch.setattr(idempotency, "answer_alone", broken)
        assert (await keyed()).status_code == 500
        monkeypatch.setattr(idempotency, "answer_alone", real)

        async def is_idle():
            return shop.db.in_use == 0

        await promised(is_idle)

        assert await rows_of("key-1") == []
        listed = (await client.get("/v1/categories")).json()["items"]
        assert listed == []
        assert (await keyed()).status_code == 201

    async def test_a_guess_at_a_password_is_counted_all_the_same(
        self, keyed, world, rows_of, database
    ):
        body = {"current_password": "wrong", "new_password": "a punched card of holes"}
        for number in range(3):
            answer = await keyed(
                *("/v1/me/password", body),
                method="PUT",
                key=f"guess-{number}",
                by=world.member.headers,
            )
            assert answer.json()["type"] == "/problems/wrong-password"

        counted = await database.fetchval("SELECT sum(failures) FROM sign_in_failures")
        told = await database.fetchval(
            "SELECT count(*) FROM security_events WHERE kind = 'password.failed'"
        )
        assert (counted, told) == (3, 3)


class TestCallers:
    async def test_the_same_key_of_another_is_another(self, keyed, an_operator):
        one = await keyed()
        other = await keyed(
            body={"name": "Black tea"}, by=await an_operator("products:write")
        )

        assert one.status_code == other.status_code == 201
        assert not replayed(other)

    async def test_the_same_key_on_another_route_is_another(self, keyed):
        await keyed()
        other = await keyed("/v1/locations", {"code": "berlin", "name": "Berlin"})

        assert other.status_code == 201

    async def test_strangers_need_keys_that_nobody_guesses(self, client):
        for key in ("1", "cart", "a" * 40):
            answer = await client.post(
                "/v1/carts", json={}, headers={"Idempotency-Key": key}
            )
            assert answer.status_code == 400
            assert answer.json()["type"] == "/problems/idempotency-key-guessable"

    async def test_strangers_elsewhere_never_get_each_others_answers(self, at, a_key):
        key = {"Idempotency-Key": a_key()}
        carts = [
            (await at(address).post("/v1/carts", json={}, headers=key)).json()
            for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1")
        ]

        assert len({cart["id"] for cart in carts}) == len(carts)

    async def test_a_phone_that_gets_another_address_of_its_network_is_the_same(
        self, at, a_key
    ):
        key = {"Idempotency-Key": a_key()}
        first = await at("2001:db8::1").post("/v1/carts", json={}, headers=key)
        second = await at("2001:db8::ffff").post("/v1/carts", json={}, headers=key)

        assert replayed(second)
        assert second.content == first.content

    async def test_where_a_stranger_is_is_not_written_down(self, at, a_key, database):
        key = {"Idempotency-Key": a_key()}
        await at("192.0.2.77").post("/v1/carts", json={}, headers=key)

        (caller,) = await database.fetchrow("SELECT caller FROM idempotency_keys")
        assert caller.startswith("anonymous:")
        assert "192.0.2.77" not in caller


class TestSecrets:
    async def test_are_kept_under_the_key_alone(
        self, keyed, database, vault, a_key, rows_of
    ):
        key, body = a_key(), {"name": "Warehouse", "scopes": ["inventory:read"]}
        made = await keyed("/v1/api-keys", body, key=key)
        again = await keyed("/v1/api-keys", body, key=key)

        token = made.json()["key"].encode()
        assert again.content == made.content
        assert await rows_of(key) == []
        row = await database.fetchrow(
            "SELECT caller, route, key, body FROM idempotency_keys"
            " WHERE route = 'POST /v1/api-keys'"
        )
        place = "idempotency_keys.body:" + "\n".join(row[:3])
        opened = vault.open(row["body"], place=place)
        assert token not in opened
        assert key.encode() not in bytes(str(dict(row)), "utf-8")

    async def test_need_a_key_that_cannot_be_guessed(self, keyed):
        body = {"name": "Warehouse", "scopes": ["inventory:read"]}

        answer = await keyed("/v1/api-keys", body, key="key-1")

        assert answer.json()["type"] == "/problems/idempotency-key-guessable"


class TestLargeAnswers:
    async def test_are_told_once_and_then_that_it_is_done(
        self, keyed, world, monkeypatch
    ):
        monkeypatch.setattr(idempotency, "MAX_KEPT_BYTES", 10)
        first = await keyed()
        second = await keyed()

        assert first.status_code == 201
        assert second.status_code == 409
        assert second.json() | {"instance": ""} == {
            "type": "/problems/idempotent-answer-not-kept",
            "title": "The request was carried out before; its answer was too large to "
            "be kept.",
            "status": 409,
            "answer_status": 201,
            "location": first.headers["location"],
            "instance": "",
        }


class TestTime:
    async def test_a_day_later_the_key_is_free(self, keyed, clock, database):
        await keyed()
        clock.advance(hours=24, seconds=1)
        async with database.transaction() as tx:
            assert await idempotency.forget(tx, now=clock()) == 1

        assert (await keyed()).status_code == 409

    async def test_nobody_waits_for_another_key(self, keyed):
        async with asyncio.TaskGroup() as group:
            sent = [
                group.create_task(
                    keyed(body={"name": f"Tea {number}"}, key=f"key-{number}")
                )
                for number in range(20)
            ]

        assert {task.result().status_code for task in sent} == {201}


class TestMetrics:
    async def test_say_what_came_of_it(self, keyed, client, shop):
        await keyed()
        await keyed()
        await keyed(body={"name": "Other"})
        await keyed(key="key-2")
        await keyed(key="two words")

        text = shop.metrics.expose().decode()
        for outcome in ("new", "replayed", "mismatch", "refused", "malformed"):
            line = (
                'holdfast_idempotency_requests_total{claims="joined",outcome="'
                f'{outcome}"}} 1.0'
            )
            assert line in text
        assert 'holdfast_idempotency_store_seconds_count{step="answer"} 1.0' in text


class TestLeases:
    @pytest.fixture
    async def path(self, world):
        return f"/v1/carts/{(await world.cart())['id']}/reservation"

    async def test_let_nobody_else_at_it_while_it_runs(
        self, keyed, path, shop, monkeypatch
    ):
        monkeypatch.setattr("holdfast.platform.idempotency._PATIENCE_SECONDS", 0.05)
        claimed = await self._die(keyed, path, shop, monkeypatch)

        answer = await keyed(path, {}, method="PUT")

        assert claimed == 1
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/idempotency-key-in-progress"
        assert answer.headers["retry-after"] == "1"

    async def test_end_and_the_next_one_does_it(
        self, keyed, path, shop, monkeypatch, clock
    ):
        await self._die(keyed, path, shop, monkeypatch)
        clock.advance(seconds=idempotency.LEASE.total_seconds() + 1)

        answer = await keyed(path, {}, method="PUT")
        again = await keyed(path, {}, method="PUT")

        assert answer.status_code == 201
        assert again.content == answer.content
        assert replayed(again)
        assert timedelta(seconds=30) >= idempotency.LEASE
        text = shop.metrics.expose().decode()
        assert "holdfast_idempotency_lease_takeovers_total 1.0" in text

    @pytest.mark.parametrize("refusal", [Conflict(), OutcomeUnknown()])
    async def test_are_given_back_by_a_refusal(
        self, keyed, path, shop, monkeypatch, rows_of, refusal
    ):
        await self._die(keyed, path, shop, monkeypatch, refusal)

        assert await rows_of("key-1") == []
        assert (await keyed(path, {}, method="PUT")).status_code == 201

    async def _die(self, keyed, path, shop, monkeypatch, how=None):
        """Fail between the claim and the answer."""

        async def hold(*_, **__):
            raise how or ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(type(shop.reservations), "hold", hold)
            answer = await keyed(path, {}, method="PUT")
        assert not answer.is_success
        return await shop.db.fetchval(
            "SELECT count(*) FROM idempotency_keys WHERE key = 'key-1'"
        )


class TestErasing:
    async def test_forgets_what_operators_were_told_of_a_person(
        self, keyed, world, a_key, rows_of, shop, monkeypatch
    ):
        made = await keyed("/v1/customers", {"email": "bob@example.com"})
        account_id = made.json()["id"]
        path = f"/v1/customers/{account_id}"
        changed = await keyed(path, {"given_name": "Bob"}, method="PATCH", key="key-2")
        assert changed.is_success

        erased = await keyed(path, None, method="DELETE", key="key-3")
        again = await keyed(path, None, method="DELETE", key="key-3")

        assert await rows_of("key-1") == await rows_of("key-2") == []
        assert (erased.status_code, again.status_code) == (204, 204)
        assert replayed(again)
        found = await accounts.find(shop.db, shop.vault, account_id)
        assert found.email is None
