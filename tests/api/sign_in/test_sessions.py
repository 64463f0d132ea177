"""Signing in from the shop's own applications, and what is there to be read of it."""

import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import Hasher
from holdfast.kernel.ids import new_id

PASSWORD = "correct horse battery staple"


def said(answer):
    """All that a client can see of an answer, but for the number of its request."""
    body = {k: v for k, v in answer.json().items() if k != "instance"}
    headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
    return answer.status_code, body, headers


class TestCreate:
    async def test_answers_with_tokens_and_a_place(self, ada, till):
        answer = await ada.enter()

        opened = answer.json()
        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"
        assert opened["token_type"] == "Bearer"
        assert opened["expires_in"] == 600
        assert opened["refresh_token"].startswith("hfr_")
        assert opened["place"].startswith("hfp_")
        # Of what the till may ask for, what a customer may do.
        assert set(opened["scope"].split()) == {
            *("account:read", "account:write", "carts:own", "orders:own"),
        }

    async def test_the_tokens_work(self, ada, till):
        session = await ada.opened()

        mine = await session.send("GET", "/v1/me/sessions")
        refreshed = await session.refresh(till)

        assert mine.status_code == 200
        assert refreshed.status_code == 200

    async def test_may_ask_for_less(self, ada):
        session = await ada.opened(scope="account:read")

        refused = await session.send("DELETE", "/v1/me/sessions")

        assert session.said["scope"] == "account:read"
        assert refused.status_code == 403

    async def test_may_not_ask_for_what_the_client_may_not_have(self, ada):
        answer = await ada.enter(scope="account:read keys:write")

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/scope"

    async def test_takes_passwords_from_the_shops_own_clients_only(
        self, ada, till, shop
    ):
        await shop.db.fetch(
            "UPDATE oauth_clients SET first_party = false WHERE id = $1", till
        )

        foreign = await ada.enter()
        unknown = await ada.enter(client_id="nobody")

        assert foreign.status_code == 403
        assert foreign.json()["type"] == "/problems/client-not-first-party"
        assert said(foreign) == said(unknown)

    async def test_nobody_can_tell_whether_there_is_an_account(self, ada):
        known = [said(await ada.enter("wrong")) for _ in range(7)]
        ada.email = "nobody@example.com"
        unknown = [said(await ada.enter("wrong")) for _ in range(7)]

        assert known == unknown
        assert [status for status, _, _ in known] == [401] * 5 + [429] * 2
        assert known[0][1]["type"] == "/problems/invalid-login"
        assert known[-1][1]["type"] == "/problems/too-many-attempts"
        assert known[-1][2]["retry-after"] == "30"

    async def test_a_full_house_says_when_to_come_again(self, ada, shop, clock):
        shop.hasher, open_ = Hasher(places=1, waiting=-1), shop.hasher

        full = await ada.enter()
        shop.hasher.close()
        shop.hasher = open_
        later = await ada.enter()

        assert full.status_code == 503
        assert int(full.headers["retry-after"]) >= 1
        assert later.status_code == 201

    async def test_the_owner_gets_in_while_a_botnet_guesses(self, ada, at):
        place = (await ada.opened()).said["place"]
        home = ada.http
        for n in range(110):
            ada.http = at(f"203.0.113.{n}")
            await ada.enter("guess")
        stranger = await ada.enter(PASSWORD)

        ada.http = at("198.51.100.9")
        by_place = await ada.enter(place=place)
        ada.http = home
        from_home = await ada.enter()

        assert stranger.status_code == 429
        assert (by_place.status_code, from_home.status_code) == (201, 201)

    async def test_takes_three_statements(self, ada, statements):
        await ada.enter()
        del statements[:]

        answer = await ada.enter()

        # Who asks; the attempt, and how to check it; the session and all that goes
        # with it.
        assert answer.status_code == 201
        assert len(statements) == 3, statements

    async def test_adopts_no_value_that_the_client_brought(self, ada, shop):
        planted = "hfp_planted"
        session = await ada.opened(place=planted)
        extra = await ada.enter(session_id=str(new_id()))

        assert session.said["place"] != planted
        assert extra.status_code == 422

    @pytest.mark.parametrize("missing", ["email", "password", "client_id"])
    async def test_says_what_is_missing(self, ada, faults, missing):
        body = {"email": "a@b.c", "password": "x", "client_id": "y"}
        del body[missing]

        answer = await ada.http.post("/v1/sessions", json=body)

        assert faults(answer) == [f"/{missing}"]


class TestBrowseOwn:
    async def test_shows_where_and_with_what(self, ada, till, clock):
        first = await ada.opened()
        clock.advance(minutes=5)
        ada.http.headers["User-Agent"] = "Kettle/1.0"
        second = await ada.opened()

        answer = await second.send("GET", "/v1/me/sessions")

        newest, oldest = answer.json()["items"]
        assert (newest["id"], oldest["id"]) == (second.id, first.id)
        assert (newest["current"], oldest["current"]) == (True, False)
        assert newest["user_agent"] == "Kettle/1.0"
        assert newest["address"] == "192.0.2.7"
        assert (newest["kind"], newest["client_id"]) == ("first_party", till)
        assert newest["methods"] == ["pwd"]
        assert oldest["created_at"] == "2026-11-27T08:00:00Z"

    async def test_shows_nobody_elses(self, ada, a_customer):
        eve = await (await a_customer("eve@example.com")).opened()
        await ada.opened()

        answer = await eve.send("GET", "/v1/me/sessions")

        assert [item["id"] for item in answer.json()["items"]] == [eve.id]

    async def test_is_nothing_for_keys(self, client, an_operator):
        headers = await an_operator("users:read")

        answer = await client.get("/v1/me/sessions", headers=headers)

        assert answer.status_code == 403


class TestEndOwn:
    async def test_its_tokens_are_refused(self, ada, till, clock):
        lost, mine = await ada.opened(), await ada.opened()

        ended = await mine.send("DELETE", f"/v1/me/sessions/{lost.id}")
        refreshed = await lost.refresh(till)
        clock.advance(seconds=5)
        used = await lost.send("GET", "/v1/me/sessions")
        kept = await mine.send("GET", "/v1/me/sessions")

        assert ended.status_code == 204
        assert refreshed.status_code == 400
        assert used.status_code == 401
        assert [item["id"] for item in kept.json()["items"]] == [mine.id]

    async def test_anothers_is_not_there(self, ada, a_customer):
        hers = await ada.opened()
        eve = await (await a_customer("eve@example.com")).opened()

        stolen = await eve.send("DELETE", f"/v1/me/sessions/{hers.id}")
        missing = await eve.send("DELETE", f"/v1/me/sessions/{new_id()}")

        assert stolen.status_code == missing.status_code == 404
        assert stolen.json()["type"] == "/problems/session-not-found"
        assert (await hers.send("GET", "/v1/me/sessions")).status_code == 200

    async def test_once_is_enough(self, ada):
        lost, mine = await ada.opened(), await ada.opened()
        path = f"/v1/me/sessions/{lost.id}"

        answers = [await mine.send("DELETE", path) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [204, 404]


class TestEndAllOwn:
    async def test_signs_out_everywhere(self, ada, clock):
        sessions = [await ada.opened() for _ in range(3)]

        answer = await sessions[0].send("DELETE", "/v1/me/sessions")
        clock.advance(seconds=5)

        assert answer.status_code == 204
        for session in sessions:
            used = await session.send("GET", "/v1/me/sessions")
            assert used.status_code == 401

    async def test_may_keep_the_one_that_asks(self, ada, clock):
        mine, *others = [await ada.opened() for _ in range(3)]

        await mine.send("DELETE", "/v1/me/sessions?keep_current=true")
        clock.advance(seconds=5)

        assert (await mine.send("GET", "/v1/me/sessions")).status_code == 200
        for other in others:
            assert (await other.send("GET", "/v1/me/sessions")).status_code == 401


class TestOperators:
    async def test_see_and_end_the_sessions_of_an_account(
        self, ada, client, an_operator, account_id_of, clock
    ):
        session = await ada.opened()
        path = f"/v1/users/{await account_id_of(ada)}/sessions"
        headers = await an_operator("users:read", "users:write")

        (seen,) = (await client.get(path, headers=headers)).json()["items"]
        ended = await client.delete(path, headers=headers)
        clock.advance(seconds=5)
        used = await session.send("GET", "/v1/me/sessions")

        assert (seen["id"], seen["current"]) == (session.id, False)
        assert ended.status_code == 204
        assert used.status_code == 401

    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    async def test_are_told_of_accounts_that_are_not_there(
        self, client, an_operator, method
    ):
        headers = await an_operator("users:read", "users:write")

        answer = await client.request(
            method, f"/v1/users/{new_id()}/sessions", headers=headers
        )

        assert answer.status_code == 404

    async def test_disabling_an_account_ends_what_it_can_do(
        self, ada, shop, account_id_of, clock
    ):
        session = await ada.opened()
        async with shop.db.transaction() as tx:
            await accounts.disable(tx, await account_id_of(ada), clock())
        clock.advance(seconds=5)

        assert (await session.send("GET", "/v1/me/sessions")).status_code == 401
        assert (await ada.enter()).status_code == 401
