import asyncio

import pytest
from cases import cases

from holdfast.domain import accounts
from holdfast.kernel import tokens

ADA = {"email": "ada@example.com"}
PASSWORD = "tea for two, please"


@pytest.fixture
async def a_token(client, deliver, token_in):
    """A token that opens an account."""
    await client.post("/v1/accounts", json=ADA)
    return token_in((await deliver())[0])


class TestRequestSignUp:
    async def test_is_accepted_and_says_nothing(self, client, deliver):
        answer = await client.post("/v1/accounts", json=ADA)

        assert (answer.status_code, answer.content) == (202, b"")
        assert len(await deliver()) == 1

    @cases(
        "body",
        [
            {"email": "ada"},
            {"email": "a@b@example.com"},
            {"email": "ada@example.com\r\nBcc: bob@example.com"},
            {"email": "ada@example.com, bob@example.com"},
            {"email": "Ada <ada@example.com>"},
            {"email": "a\x00da@example.com"},
            {"email": "x" * 300 + "@example.com"},
            {"email": "ada@example.com", "name": "Buy cheap pills"},
            {"email": None},
            {},
        ],
    )
    async def test_refuses_what_is_not_one_address(self, client, deliver, body):
        answer = await client.post("/v1/accounts", json=body)

        assert answer.status_code == 422
        assert await deliver() == []

    async def test_refuses_bytes_that_are_no_text(self, client):
        answer = await client.post(
            "/v1/accounts",
            content=b'{"email": "ad\xff@example.com"}',
            headers={"content-type": "application/json"},
        )

        assert answer.status_code == 400


class TestConfirmSignUp:
    async def test_opens_an_account(self, client, a_token, shop):
        answer = await client.post(
            "/v1/accounts/confirm",
            json={"token": a_token, "password": PASSWORD, "given_name": "Ada"},
        )

        assert answer.status_code == 201
        found = await accounts.find_by_email(shop.db, shop.vault, ADA["email"])
        assert found is not None
        assert answer.json() == {"id": str(found.id), "email": ADA["email"]}

    async def test_of_two_at_once_one_is_told_that_the_link_was_used(
        self, client, a_token
    ):
        body = {"token": a_token, "password": PASSWORD}
        async with asyncio.TaskGroup() as both:
            tasks = [
                both.create_task(client.post("/v1/accounts/confirm", json=body))
                for _ in range(2)
            ]

        answers = sorted(task.result().status_code for task in tasks)
        assert answers == [201, 422]

    @cases(
        ("password", "reason"),
        [
            ("short", "fewer than 8"),
            ("password1", "most common"),
            ("ada@example.com", "e-mail address"),
            ("x" * 1_000_000, "more than 256"),
        ],
    )
    async def test_says_what_is_wrong_with_a_password(
        self, client, a_token, password, reason
    ):
        answer = await client.post(
            "/v1/accounts/confirm", json={"token": a_token, "password": password}
        )

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/password-refused"
        assert any(reason in said for said in answer.json()["reasons"])

    @pytest.mark.parametrize(
        ("raw", "status"),
        [
            (rb'{"token": "T", "password": "tea\u0000 for two, please"}', 422),
            (rb'{"token": "T", "password": "tea\ud800 for two, please"}', 400),
            (b'{"token": "T", "password": "tea\xff for two, please"}', 400),
            (b'{"token": "T", "password": 12345678}', 422),
            (b'{"token": "T", "password": "tea for two", "roles": ["admin"]}', 422),
            (b'{"token": "hfm_nonsense", "password": "tea for two, please"}', 422),
        ],
    )
    async def test_refuses_what_is_no_password(self, client, a_token, raw, status):
        answer = await client.post(
            "/v1/accounts/confirm",
            content=raw.replace(b'"T"', f'"{a_token}"'.encode()),
            headers={"content-type": "application/json"},
        )

        assert answer.status_code == status
        good = {"token": a_token, "password": PASSWORD}
        assert (await client.post("/v1/accounts/confirm", json=good)).is_success


class TestReset:
    async def test_replaces_the_password(self, client, signed_up, deliver, token_in):
        await signed_up()
        asked = await client.post("/v1/password-resets", json=ADA)
        token = token_in((await deliver())[0])
        body = {"token": token, "password": "and scones for three"}

        done = await client.post("/v1/password-resets/confirm", json=body)
        again = await client.post("/v1/password-resets/confirm", json=body)

        assert (asked.status_code, asked.content) == (202, b"")
        assert (done.status_code, done.content) == (204, b"")
        assert again.json()["type"] == "/problems/link-not-valid"


class TestChangePassword:
    async def test_is_for_who_is_signed_in_and_knows_the_old_one(
        self, client, signed_up, deliver, token_in, signed_in, shop, hasher
    ):
        member = await signed_in(scopes=("account:write",))
        async with shop.db.transaction() as tx:
            phc = await hasher.hash(PASSWORD)
            await accounts.set_password(
                tx, shop.vault, member.account_id, phc, shop.clock()
            )
        body = {"current_password": "no", "new_password": "and scones for three"}

        nobody = await client.put("/v1/me/password", json=body)
        wrong = await client.put("/v1/me/password", json=body, headers=member.headers)
        body["current_password"] = PASSWORD
        right = await client.put("/v1/me/password", json=body, headers=member.headers)

        assert nobody.status_code == 401
        assert wrong.json()["type"] == "/problems/wrong-password"
        assert (right.status_code, right.content) == (204, b"")

    async def test_is_for_no_key(self, client, an_operator):
        headers = await an_operator("users:write")
        body = {"current_password": "x", "new_password": "and scones for three"}

        answer = await client.put("/v1/me/password", json=body, headers=headers)

        assert answer.json()["scope"] == "account:write"


class TestChangeEmail:
    async def test_takes_effect_by_the_link(
        self, client, deliver, token_in, signed_in, shop, hasher
    ):
        member = await signed_in(scopes=("account:write",))
        async with shop.db.transaction() as tx:
            phc = await hasher.hash(PASSWORD)
            await accounts.set_password(
                tx, shop.vault, member.account_id, phc, shop.clock()
            )
        body = {"email": "new@example.com", "current_password": PASSWORD}

        asked = await client.post("/v1/me/email", json=body, headers=member.headers)
        token = token_in((await deliver())[0])
        done = await client.post("/v1/email-changes/confirm", json={"token": token})

        assert (asked.status_code, asked.content) == (202, b"")
        assert (done.status_code, done.content) == (204, b"")
        account = await accounts.find(shop.db, shop.vault, member.account_id)
        assert account.email == "new@example.com"

    async def test_refuses_what_is_no_token(self, client):
        answer = await client.post(
            "/v1/email-changes/confirm", json={"token": tokens.new_token("hfm_")}
        )

        assert answer.json()["type"] == "/problems/link-not-valid"


class TestBusy:
    async def test_is_said_at_once_and_the_link_stays_good(
        self, client, a_token, hasher, monkeypatch
    ):
        body = {"token": a_token, "password": PASSWORD}
        monkeypatch.setattr(hasher, "_limit", 0)

        busy = await client.post("/v1/accounts/confirm", json=body)
        monkeypatch.undo()
        later = await client.post("/v1/accounts/confirm", json=body)

        assert busy.status_code == 503
        assert busy.json()["type"] == "/problems/sign-in-busy"
        assert int(busy.headers["retry-after"]) >= 1
        assert later.status_code == 201
