"""Attacks by a token that was good once, or comes by another way; each a test."""

import io
import json
from dataclasses import replace

import httpx
import pytest
from forging import HERS, put_together, take_apart

from holdfast.api.app import serving
from holdfast.domain import accounts, identity, oauth
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.platform.telemetry import AccessLog

FOR_OPERATORS = "/v1/clients"


class TestAfterwards:
    async def test_revoked(self, refused, holder, shop, clock):
        token_id = new_id()
        token = await holder.sign(token_id=token_id)
        assert not await refused(token)
        async with shop.db.transaction() as tx:
            await oauth.revoke_token(tx, token_id, expires_at=clock())
        clock.advance(seconds=5)

        assert await refused(token)
        assert not await refused(holder.token)

    async def test_session_ended(self, refused, holder, shop, clock):
        async with shop.db.transaction() as tx:
            await accounts.end_session(tx, holder.session_id, reason="x", at=clock())
        clock.advance(seconds=5)

        assert await refused(holder.token)
        assert await refused(await holder.sign())

    async def test_account_disabled(self, refused, holder, shop, clock):
        async with shop.db.transaction() as tx:
            await accounts.disable(tx, holder.account_id, clock())
        clock.advance(seconds=5)

        assert await refused(holder.token)

    async def test_role_taken(self, ask, signed_in, shop, clock):
        root, former = await signed_in("admin"), await signed_in("admin")
        before = await ask(former.token, path=FOR_OPERATORS)
        async with shop.db.transaction() as tx:
            await identity.revoke_role(tx, former.account_id, "admin")
        clock.advance(seconds=5)
        after = await ask(former.token, path=FOR_OPERATORS)

        assert (before.status_code, after.status_code) == (200, 403)
        assert (await ask(root.token, path=FOR_OPERATORS)).status_code == 200

    async def test_scope_taken_from_the_client(self, ask, signed_in, shop, clock):
        holder = await signed_in("admin")
        before = await ask(holder.token, path=FOR_OPERATORS)
        async with shop.db.transaction() as tx:
            client = await oauth.lock_client(tx, holder.client_id)
            await oauth.change_client(tx, replace(client, scopes=("account:read",)))
        clock.advance(seconds=5)
        after = await ask(holder.token, path=FOR_OPERATORS)

        assert (before.status_code, after.status_code) == (200, 403)


class TestTransport:
    async def test_authorization_given_twice(self, client, ask, holder):
        theirs = await ask(holder.token)
        for other in (holder.token, "x.y.z", tokens.new_token(tokens.CART)):
            for pair in ((holder.token, other), (other, holder.token)):
                headers = [("Authorization", f"Bearer {token}") for token in pair]
                assert (await ask(headers=headers)).status_code == 401

        assert theirs.status_code == 200

    async def test_two_tokens_in_one_header(self, ask, holder):
        for both in (
            f"{holder.token}, Bearer {holder.token}",
            f"{holder.token} {holder.token}",
        ):
            assert (await ask(both)).status_code == 401

    @pytest.mark.parametrize("size", [4097, 8000, 12000])
    async def test_oversized(self, refused, resigned, size):
        assert await refused(resigned(padding="x" * size))

    @pytest.mark.parametrize("name", ["access_token", "token", "authorization"])
    async def test_in_the_query_string(self, client, holder, name):
        answer = await client.get(HERS, params={name: holder.token})

        assert answer.status_code == 401

    async def test_in_a_form_or_a_cookie(self, client, holder):
        form = await client.post("/oauth/userinfo", data={"access_token": holder.token})
        cookie = await client.get(
            HERS, headers={"Cookie": f"access_token={holder.token}"}
        )

        assert (form.status_code, cookie.status_code) == (401, 401)

    async def test_flood_of_made_up_ones_hardly_reaches_the_database(
        self, refused, holder, shop, monkeypatch
    ):
        asked = []
        fetch = shop.db.fetch

        async def counted(*arguments):
            asked.append(arguments)
            return await fetch(*arguments)

        monkeypatch.setattr(shop.db, "fetch", counted)
        ours = take_apart(holder.token)
        for n in range(100):
            header = {**ours.header, "kid": f"{n:043}"}
            assert await refused(
                put_together(header, ours.claims, lambda _: ours.signature)
            )
            claims = {**ours.claims, "jti": str(new_id())}
            assert await refused(
                put_together(ours.header, claims, lambda _: ours.signature)
            )

        # The clock stands still: unknown keys are looked for once a second.
        assert len(asked) <= 1


class TestLogs:
    async def test_never_hold_a_token(self, shop, holder, resigned, log):
        lines = io.BytesIO()
        shop.access_log = AccessLog("json", lines)
        transport = httpx.ASGITransport(serving(shop), raise_app_exceptions=False)
        shown = [holder.token, resigned(aud="x"), holder.token[:-3], "x" * 5000]
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop.test"
        ) as client:
            for token in shown:
                headers = {"Authorization": f"Bearer {token}"}
                await client.get(HERS, headers=headers)
                await client.get(HERS, params={"access_token": token})
                await client.get("/v1/orders", params={"token": token})
                await client.post("/oauth/userinfo", headers=headers)
                await client.post("/oauth/introspect", data={"token": token})
                await client.post("/oauth/revoke", data={"token": token})
        shop.access_log.flush()
        logged = lines.getvalue().decode() + json.dumps(log())

        assert logged.count("\n") >= 6 * len(shown)
        assert str(holder.account_id) in logged
        for token in shown:
            for part in token.split("."):
                assert part not in logged
